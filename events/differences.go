package events

import (
	"bytes"
	"maps"
	"slices"
)

// Differences names what differs between two envelopes: "subject", "body" and
// the attributes by their names; sorted, none when they are the same message.
func (e Envelope) Differences(other Envelope) []string {
	var names []string
	if e.Address != other.Address {
		names = append(names, "subject")
	}
	if !bytes.Equal(e.Data, other.Data) {
		names = append(names, "body")
	}
	mine, theirs := e.attributes(), other.attributes()
	all := maps.Clone(mine)
	maps.Copy(all, theirs)
	for name := range all {
		if mine[name] != theirs[name] {
			names = append(names, prefix+name)
		}
	}
	slices.Sort(names)
	return names
}
