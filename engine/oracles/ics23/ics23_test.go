// Package ics23 lets the ICS-23 reference judge proofs that another program made, under the reference's own SmtSpec.
//
// XINGLIN_PROOFS names a JSON file, {"proofs": [{"root", "key", "value", "proof"}]}, byte strings in hexadecimal; a proof of absence
// has an empty value. Each proof must be accepted, and refused for another root, another value, another key (for an
// absence: the neighbours' keys) and as its opposite.
package ics23

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	reference "github.com/cosmos/ics23/go"
)

type proof struct {
	Root  string `json:"root"`
	Key   string `json:"key"`
	Value string `json:"value"`
	Proof string `json:"proof"`
}

func TestProofs(t *testing.T) {
	path := os.Getenv("XINGLIN_PROOFS")
	if path == "" {
		t.Skip("XINGLIN_PROOFS names no file of proofs")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Proofs []proof `json:"proofs"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	present, absent := 0, 0
	for i, p := range file.Proofs {
		root, key, value := decode(t, p.Root), decode(t, p.Key), decode(t, p.Value)
		commitment := &reference.CommitmentProof{}
		if err := commitment.Unmarshal(decode(t, p.Proof)); err != nil {
			t.Fatalf("proof %d: %v", i, err)
		}
		holds := func(root, key, value []byte) bool {
			if len(value) > 0 {
				return reference.VerifyMembership(reference.SmtSpec, root, commitment, key, value)
			}
			return reference.VerifyNonMembership(reference.SmtSpec, root, commitment, key)
		}
		if !holds(root, key, value) {
			t.Fatalf("proof %d of key %x (value %x) is refused", i, key, value)
		}
		if holds(flipped(root), key, value) {
			t.Fatalf("proof %d holds for another root", i)
		}
		if len(value) > 0 {
			present++
			if holds(root, flipped(key), value) || holds(root, key, flipped(value)) || holds(root, key, nil) {
				t.Fatalf("proof %d holds for another key or value, or as an absence", i)
			}
			continue
		}
		absent++
		if holds(root, key, []byte("value")) {
			t.Fatalf("proof %d of an absence holds as a presence", i)
		}
		// An absence shows that a whole gap is empty, so another key in the same gap is as absent; its ends are not.
		for _, neighbour := range []*reference.ExistenceProof{commitment.GetNonexist().Left, commitment.GetNonexist().Right} {
			if neighbour != nil && holds(root, neighbour.Key, nil) {
				t.Fatalf("proof %d holds for the absence of its neighbour", i)
			}
		}
	}
	t.Logf("accepted %d proofs of presence and %d of absence", present, absent)
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	bytes, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func flipped(bytes []byte) []byte {
	other := append([]byte(nil), bytes...)
	other[len(other)/2] ^= 1
	return other
}
