package chaincode

import (
	"slices"

	"chancery/chaincode/exchange"
)

// firstAdmin is the name under which the certificate that registers a
// department is enrolled.
const firstAdmin = "admin"

// registerDepartment binds a name to the caller's MSP, for good: neither the
// name nor the MSP can be taken by another.
func registerDepartment(a *act, b *exchange.RegisterDepartment) (subject, error) {
	s := subject{id: b.Name}
	if d := a.caller.department; d.Name != "" {
		s.id, s.state = d.Name, string(d.Status)
		if d.Name == b.Name && d.Title == b.Title && d.Recipient == b.Recipient {
			s.done = done{yes: true}
		}
		return s, nil
	}
	other, taken, err := find[exchange.Department](a.transaction, exchange.DepartmentKey(b.Name))
	if err != nil {
		return s, err
	}
	if taken {
		s.state = string(other.Status)
	}
	s.change = func() error { return a.makeDepartment(b) }
	return s, nil
}

func (a *act) makeDepartment(b *exchange.RegisterDepartment) error {
	c := a.caller
	c.department = exchange.Department{
		Name: b.Name, MSP: c.msp, Title: b.Title, Recipient: b.Recipient,
		Status: exchange.Active, Since: a.time,
	}
	c.officer = exchange.OfficerRecord{
		ID: c.id, Department: b.Name, Name: firstAdmin, Role: exchange.Admin,
		Certificate: encodePEM(c.certificate), Status: exchange.Active, Since: a.time,
	}
	c.department.Change, c.officer.Change = a.change(""), a.change("")
	names, err := a.departments()
	if err != nil {
		return err
	}
	at, _ := slices.BinarySearch(names, b.Name)
	return firstError(
		a.put(exchange.MSPKey(c.msp), b.Name),
		a.put(exchange.DepartmentKey(b.Name), c.department),
		a.put(exchange.DepartmentsKey(), slices.Insert(slices.Clone(names), at, b.Name)),
		a.put(exchange.OfficerKey(c.id), c.officer),
		a.tell(exchange.ToAll, b.Name, c.department),
		a.tellOf(exchange.OfficerEnrolled, exchange.ToAll, c.id, c.officer))
}

// departments are the names of all, suspended ones too, sorted.
func (t *transaction) departments() ([]string, error) {
	names, _, err := find[[]string](t, exchange.DepartmentsKey())
	return names, err
}

func changeDepartment(a *act, b *exchange.ChangeDepartment) (subject, error) {
	d, err := need[exchange.Department](a.transaction, exchange.DepartmentKey(b.Name), b.Name)
	s := subject{id: d.Name, party: d.Name, state: string(d.Status)}
	if s.state == a.row.To {
		s.done = a.doneBefore(d.Change)
	}
	s.change = func() error {
		d.Status, d.Change = exchange.Status(a.row.To), a.change(b.Reason)
		return firstError(
			a.put(exchange.DepartmentKey(d.Name), d),
			a.tell(exchange.ToAll, d.Name, d))
	}
	return s, err
}

// activeDepartment finds a department that a grant is to be given to or
// redeemed by.
func (t *transaction) activeDepartment(name string) (exchange.Department, error) {
	d, err := need[exchange.Department](t, exchange.DepartmentKey(name), name)
	if err == nil && d.Status != exchange.Active {
		err = exchange.Errorf(exchange.Denied, "department %s is suspended (%s)", d.Name, d.Change.Reason)
	}
	return d, err
}
