package exchange

import "strconv"

// Key is a ledger key before Fabric's composition: the object type (a noun or
// an index) and its validated parts. Parts never hold U+0000, so that no two
// keys collide after concatenation.
type Key struct {
	Type  string
	Parts []string
}

const (
	indexMSP         = "msp"         // msp → department name
	indexDepartments = "departments" // the one list of names, sorted
)

func DepartmentKey(name string) Key   { return Key{string(NounDepartment), []string{name}} }
func DepartmentsKey() Key             { return Key{indexDepartments, []string{"names"}} }
func MSPKey(msp string) Key           { return Key{indexMSP, []string{msp}} }
func OfficerKey(id string) Key        { return Key{string(NounOfficer), []string{id}} }
func DatasetKey(id string) Key        { return Key{string(NounDataset), []string{id}} }
func ObjectKey(id string) Key         { return Key{string(NounObject), []string{id}} }
func AttestationKey(o, by string) Key { return Key{string(NounAttestation), []string{o, by}} }
func CertificationKey(o string) Key   { return Key{string(NounCertification), []string{o}} }
func RequestKey(id string) Key        { return Key{string(NounRequest), []string{id}} }
func GrantKey(id string) Key          { return Key{string(NounGrant), []string{id}} }
func RedemptionKey(g string, slot int) Key {
	return Key{string(NounRedemption), []string{g, slotPart(slot)}}
}
func ReleaseKeyOf(g string, slot int) Key {
	return Key{string(NounRelease), []string{g, slotPart(slot)}}
}
func ReceiptKey(g string, slot int) Key { return Key{string(NounReceipt), []string{g, slotPart(slot)}} }
func DisputeKey(g string, slot int) Key { return Key{string(NounDispute), []string{g, slotPart(slot)}} }
func KeyringKey(id string) Key          { return Key{string(NounKeyring), []string{id}} }
func JobKey(id string) Key              { return Key{string(NounJob), []string{id}} }
func ContributionKey(j, by string) Key  { return Key{string(NounContribution), []string{j, by}} }
func MaskKey(j string) Key              { return Key{string(NounMask), []string{j}} }
func EvaluationKey(j string) Key        { return Key{string(NounEvaluation), []string{j}} }
func ShareKey(j, by string) Key         { return Key{string(NounShare), []string{j, by}} }
func ResultKey(j string) Key            { return Key{string(NounResult), []string{j}} }
func OperationKey(department, command string) Key {
	return Key{string(NounOperation), []string{department, command}}
}

// UseID is the id under which a use of a grant, and what became of it, is known:
// "<grant>/<slot>".
func UseID(grant string, slot int) string { return grant + "/" + strconv.Itoa(slot) }

// slotPart pads to four digits, so that slots sort by number.
func slotPart(slot int) string {
	s := strconv.Itoa(slot)
	for len(s) < 4 {
		s = "0" + s
	}
	return s
}
