package data

import "testing"

// TestNeedIndex holds the plain calculation against Delaware, worked out by hand
// from 952,065 people, 17.1 % and its three counties' 7.9, 8.6 and 7.3 %:
// 0.952065 + 100 · 0.171 + 200 · 0.079333.
func TestNeedIndex(t *testing.T) {
	index, err := NeedIndex()
	if err != nil {
		t.Fatal(err)
	}
	if len(index) != 50 || index["11"] != "" || index["72"] != "" {
		t.Errorf("%d states, of District of Columbia %q and Puerto Rico %q", len(index), index["11"], index["72"])
	}
	if got := index["10"]; got != "33.918665" {
		t.Errorf("Delaware %s", got)
	}
}
