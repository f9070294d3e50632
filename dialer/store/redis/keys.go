package redis

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"pronto/campaigns"
)

// idBits are the bits of a lead's place in its campaign within its LeadID; the
// campaign's number stands above them, so that ids stay exact in JSON (53 bits).
const idBits = 32

// leadID is the id of the lead at a place of a campaign.
func leadID(campaign, place int64) campaigns.LeadID {
	return campaigns.LeadID(campaign<<idBits | place)
}

// placeOf splits a LeadID.
func placeOf(id campaigns.LeadID) (campaign, place int64) {
	return int64(id) >> idBits, int64(id) & (1<<idBits - 1)
}

// campaignKey is a key of a campaign's leads.
func (s *Store) campaignKey(campaign int64, name string) string {
	return fmt.Sprintf("%s{c%d}%s", s.prefix, campaign, name)
}

// numberKey is a key of a number: a attempts, o opt-outs, v verdicts, c consents.
func (s *Store) numberKey(n campaigns.Number, name string) string {
	return s.subjectKey(s.list.Subject(n), name)
}

// subjectKey is a key of the number with the pseudonym. Half of the pseudonym is
// enough to tell numbers apart: 128 bits.
func (s *Store) subjectKey(subject, name string) string {
	short := subject
	if raw, err := hex.DecodeString(subject); err == nil && len(raw) >= 16 {
		short = base64.RawURLEncoding.EncodeToString(raw[:16])
	}
	return s.prefix + "{" + short + "}" + name
}

// nodeKey is a key of this node.
func (s *Store) nodeKey(name string) string { return s.keyOfNode(s.node, name) }

// keyOfNode is a key of a node.
func (s *Store) keyOfNode(node, name string) string { return s.prefix + "{node " + node + "}" + name }

// sharedKey is a key of what all campaigns share.
func (s *Store) sharedKey(name string) string { return s.prefix + "{campaigns}" + name }

// attemptKey is the key under which the number of an attempt is found: one for
// the attempts whose ids begin alike, as those of a second do.
func (s *Store) attemptKey(id string) string {
	return s.prefix + "{" + id[:min(8, len(id))] + "}i"
}
