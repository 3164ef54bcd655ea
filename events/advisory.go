package events

import "strings"

// letterMark begins the reason under which a worker ends a message's
// deliveries when its dead letter is on the stream.
const letterMark = "dead letter "

// LetterReason is that reason: it names the letter by its id, so that the
// server's advisory about the message tells that it is not lost.
func LetterReason(id string) string { return letterMark + id }

// LetterOf is the id of the dead letter that a reason names; empty: none.
func LetterOf(reason string) string {
	id, ok := strings.CutPrefix(reason, letterMark)
	if !ok {
		return ""
	}
	return id
}
