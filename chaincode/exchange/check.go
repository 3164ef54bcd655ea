package exchange

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// first returns the first error, as the one error of an operation.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// clip shortens what an error message quotes.
func clip(s string) string { return clipTo(s, 64) }

func clipTo(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func checkName(field, s string) error {
	if ValidName(s) {
		return nil
	}
	return Errorf(Invalid, "%s %q is not a name: use 1 to 64 of a-z, 0-9 and inner hyphens", field, clip(s))
}

func checkID(field string, noun Noun, s string) error {
	if ValidID(noun, s) {
		return nil
	}
	return Errorf(Invalid, "%s %q is not the id of a %s", field, clip(s), noun)
}

// checkDataset takes a dataset's id or "<owner>/<name>".
func checkDataset(field, s string) error {
	if _, _, named := DatasetName(s); named {
		return nil
	}
	return checkID(field, NounDataset, s)
}

// CheckCommand takes a command id: see [ValidCommand].
func CheckCommand(s string) error {
	if ValidCommand(s) {
		return nil
	}
	return Errorf(Invalid, "command id %q: use 1 to 128 of A-Z, a-z, 0-9 and ._:-, starting with a letter or digit", clip(s))
}

func checkDigest(field, s string) error {
	if ValidDigest(s) {
		return nil
	}
	return Errorf(Invalid, "%s %q is not a SHA-256 in lower-case hexadecimal", field, clip(s))
}

func checkSize(field, s string, least, most int) error {
	if n := len(s); n < least || n > most {
		return Errorf(Invalid, "%s has %d bytes: %d to %d are allowed", field, n, least, most)
	}
	return nil
}

// checkLine takes one line of visible text.
func checkLine(field, s string, least, most int) error {
	if strings.ContainsAny(s, "\n\t") {
		return Errorf(Invalid, "%s holds a line break or tab", field)
	}
	if s != strings.TrimSpace(s) {
		return Errorf(Invalid, "%s starts or ends with a space", field)
	}
	return checkText(field, s, least, most)
}

// checkText takes visible text with line breaks and tabs: no control, format
// (bidirectional overrides, zero-width), private or unassigned characters.
func checkText(field, s string, least, most int) error {
	if err := checkSize(field, s, least, most); err != nil {
		return err
	}
	if !utf8.ValidString(s) {
		return Errorf(Invalid, "%s is not valid UTF-8", field)
	}
	for i, r := range s {
		if r == '\n' || r == '\t' {
			continue
		}
		if !unicode.IsGraphic(r) {
			return Errorf(Invalid, "%s holds the character %U at byte %d, which cannot be seen", field, r, i)
		}
	}
	return nil
}

// Visible makes text fit where a reason is asked for: what cannot be seen is
// replaced by U+FFFD, and what is over so many bytes cut off.
func Visible(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// MaxReason bounds a reason, in bytes.
const MaxReason = 1000

// CheckReason checks why something is done, for the record.
func CheckReason(s string) error { return checkText("reason", s, 1, MaxReason) }

func checkRange(field string, n, least, most int64) error {
	if n < least || n > most {
		return Errorf(Invalid, "%s is %d: %d to %d are allowed", field, n, least, most)
	}
	return nil
}

func checkOneOf[T ~string](field string, v T, all []T) error {
	if slices.Contains(all, v) {
		return nil
	}
	return Errorf(Invalid, "%s %q is none of %v", field, clip(string(v)), all)
}

func checkList(field string, list []string, most int, check func(string) error) error {
	if len(list) > most {
		return Errorf(Invalid, "%s has %d entries: at most %d are allowed", field, len(list), most)
	}
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			return Errorf(Invalid, "%s names %q twice", field, clip(s))
		}
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

func checkActions(field string, list []Action) error {
	if len(list) == 0 {
		return Errorf(Invalid, "%s is empty: name at least one of %v", field, actions)
	}
	for i, a := range list {
		if slices.Contains(list[:i], a) {
			return Errorf(Invalid, "%s names %q twice", field, a)
		}
		if err := checkOneOf(field, a, actions); err != nil {
			return err
		}
	}
	return nil
}

func checkSpec(list []Action, spec string) error {
	if slices.Contains(list, Compute) {
		return checkDigest("spec", spec)
	}
	if spec != "" {
		return Errorf(Invalid, "spec goes with the action %q only", Compute)
	}
	return nil
}

// checkPeriod takes moments of the years 2000 to 2200 in their order; one that
// is zero is left open. Years bound also what encoding/json can write again.
func checkPeriod(from, to time.Time) error {
	for _, at := range []time.Time{from, to} {
		if y := at.Year(); !at.IsZero() && (y < 2000 || y > 2200) {
			return Errorf(Invalid, "notBefore and notAfter lie within the years 2000 to 2200, not in %d", y)
		}
	}
	if !from.IsZero() && !to.IsZero() && !to.After(from) {
		return Errorf(Invalid, "notAfter %s is not after notBefore %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return nil
}

func checkUse(grant string, slot int) error {
	return first(checkID("grant", NounGrant, grant), checkRange("slot", int64(slot), 0, MaxUses-1))
}

var (
	cidPattern       = regexp.MustCompile(`^b[a-z2-7]{10,120}$`)
	mediaTypePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$`)
	recipientPattern = regexp.MustCompile(`^age1[a-z0-9]+$`)

	publicKeyPattern  = regexp.MustCompile(`^paillier-public-1\.[A-Za-z0-9_-]+$`)
	ciphertextPattern = regexp.MustCompile(`^paillier-ciphertext-1\.[A-Za-z0-9_-]+$`)
)

// checkForm takes a text form of crypto/paillier of at most 4096 bytes, by its
// letters alone: whoever has the key checks the rest.
func checkForm(field, s string, form *regexp.Regexp) error {
	if len(s) <= 4096 && form.MatchString(s) {
		return nil
	}
	return Errorf(Invalid, "%s %q is not of the form %s, or longer than 4096 bytes", field, clip(s), form)
}

func checkCID(field, s string) error {
	if cidPattern.MatchString(s) {
		return nil
	}
	return Errorf(Invalid, "%s %q is not a CID of version 1 in base32", field, clip(s))
}

func checkMediaType(s string) error {
	if mediaTypePattern.MatchString(s) {
		return nil
	}
	return Errorf(Invalid, "mediaType %q is not a media type such as text/csv", clip(s))
}

func checkRecipient(s string) error {
	if len(s) >= 24 && len(s) <= 4096 && recipientPattern.MatchString(s) {
		return nil
	}
	return Errorf(Invalid, "recipient is not an age recipient (age1…)")
}

// CheckFileName takes the plain name of a file: no separator, no leading dot.
func CheckFileName(field, s string) error {
	if err := checkLine(field, s, 1, 200); err != nil {
		return err
	}
	if strings.ContainsAny(s, `/\`) || strings.HasPrefix(s, ".") {
		return Errorf(Invalid, "%s %q is not a plain file name", field, clip(s))
	}
	return nil
}

// RecipientFingerprint is the SHA-256 of an age recipient's text, as a grant
// carries it, in lower-case hexadecimal.
func RecipientFingerprint(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return hex.EncodeToString(sum[:])
}
