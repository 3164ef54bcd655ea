package events_test

import (
	"errors"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/events"
)

const dataset = `{"name":"population","title":"Population","licence":"CC0","mediaType":"text/csv",` +
	`"terms":{"actions":["read"],"maxUses":1,"maxDuration":3600,"attestations":1,"obligations":{}}}`

func TestDecodeCommand(t *testing.T) {
	open := `"purpose":"planning","legalBasis":"§ 1","actions":["read"],"uses":1`
	for name, c := range map[string]struct {
		command events.Command
		body    string
		want    string // of the error; none: accepted
	}{
		"publish":             {events.DatasetPublish, `{"dataset":` + dataset + `,"file":"a.csv"}`, ""},
		"open by name":        {events.RequestOpen, `{"dataset":"census/population",` + open + `,"validFor":3600}`, ""},
		"open by id":          {events.RequestOpen, `{"dataset":"` + exchange.NewID(exchange.NounDataset, "m", "c") + `",` + open + `,"notAfter":"2030-01-01T00:00:00Z"}`, ""},
		"withdraw":            {events.RequestWithdraw, `{"request":"` + request + `","reason":"over"}`, ""},
		"redeem":              {events.GrantRedeem, `{"grant":"` + exchange.NewID(exchange.NounGrant, "m", "c") + `","slot":0}`, ""},
		"unknown command":     {"request.delete", `{}`, `no command "request.delete"`},
		"outside the spool":   {events.DatasetPublish, `{"dataset":` + dataset + `,"file":"../a.csv"}`, "not a plain file name"},
		"absolute path":       {events.DatasetPublish, `{"dataset":` + dataset + `,"file":"/etc/passwd"}`, "not a plain file name"},
		"hidden file":         {events.DatasetPublish, `{"dataset":` + dataset + `,"file":".x"}`, "not a plain file name"},
		"says who":            {events.GrantRedeem, `{"from":"census","grant":"g","slot":0}`, `unknown key "from"`},
		"duplicate key":       {events.GrantRedeem, `{"grant":"g","grant":"g","slot":0}`, "twice"},
		"no end":              {events.RequestOpen, `{"dataset":"census/population",` + open + `}`, "either notAfter or validFor"},
		"two ends":            {events.RequestOpen, `{"dataset":"census/population",` + open + `,"validFor":1,"notAfter":"2030-01-01T00:00:00Z"}`, "either notAfter or validFor"},
		"end before start":    {events.RequestOpen, `{"dataset":"census/population",` + open + `,"notBefore":"2031-01-01T00:00:00Z","notAfter":"2030-01-01T00:00:00Z"}`, "not after notBefore"},
		"too long":            {events.RequestOpen, `{"dataset":"census/population",` + open + `,"validFor":99999999999}`, "validFor"},
		"no such name":        {events.RequestOpen, `{"dataset":"census/../x",` + open + `,"validFor":1}`, "dataset"},
		"nothing":             {events.RequestOpen, `{}`, "dataset"},
		"slot out of range":   {events.GrantRedeem, `{"grant":"` + exchange.NewID(exchange.NounGrant, "m", "c") + `","slot":-1}`, "slot"},
		"bytes after the end": {events.GrantRedeem, `{} {}`, "after the end"},
	} {
		t.Run(name, func(t *testing.T) {
			e := events.Envelope{Address: events.CommandSubject("health", c.command), Data: []byte(c.body)}
			body, err := events.DecodeCommand(e)
			if c.want == "" && (err != nil || body == nil) {
				t.Errorf("refused: %v", err)
			}
			if c.want != "" && (!errors.Is(err, exchange.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestDeadLetter(t *testing.T) {
	m, _ := command(t).Msg()
	f := events.Failed{
		Worker: "intake", Consumer: "intake-commands", Reason: "r", Attempts: 3, Time: at,
		Subject: m.Subject, Stream: events.StreamCommands, Sequence: 7, Header: m.Header, Body: make([]byte, events.MaxDeadBody+5),
	}
	e, err := events.NewDead("health", f)
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Address.String(); got != "chancery.dead.intake.request.withdraw.commands-7" || e.Correlation != "Case:7.1_a" || e.Source != "health" {
		t.Errorf("%s %+v", got, e)
	}
	got, err := events.Record[events.Failed](e)
	if err != nil || len(got.Body) != events.MaxDeadBody || got.Size != events.MaxDeadBody+5 || got.Header["ce-id"][0] != "Case:7.1_a" {
		t.Errorf("%+v, %v", got.Size, err)
	}
	f.Subject = "no.subject of ours"
	if e, err = events.NewDead("health", f); err != nil || e.Address.Noun != "message" {
		t.Errorf("%+v, %v", e.Address, err)
	}
}
