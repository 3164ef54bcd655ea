package bus

import (
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"chancery/chaincode/exchange"
)

// The server's own configuration format, as far as accounts need it: the
// library offers no other way to give an account JetStream.
type (
	accountsFile struct {
		Accounts map[Account]accountEntry `json:"accounts"`
	}
	accountEntry struct {
		JetStream string        `json:"jetstream,omitempty"`
		Users     []userEntry   `json:"users"`
		Exports   []exportEntry `json:"exports,omitempty"`
		Imports   []importEntry `json:"imports,omitempty"`
	}
	userEntry struct {
		NKey        string      `json:"nkey"`
		Permissions permissions `json:"permissions"`
	}
	permissions struct {
		Publish   allowed `json:"publish"`
		Subscribe allowed `json:"subscribe"`
		Responses bool    `json:"allow_responses,omitempty"`
	}
	allowed struct {
		Allow []string `json:"allow"`
	}
	exportEntry struct {
		Service  string    `json:"service,omitempty"`
		Stream   string    `json:"stream,omitempty"`
		Response string    `json:"response_type,omitempty"`
		Accounts []Account `json:"accounts"`
	}
	importEntry struct {
		Service *foreign `json:"service,omitempty"`
		Stream  *foreign `json:"stream,omitempty"`
	}
	foreign struct {
		Account Account `json:"account"`
		Subject string  `json:"subject"`
	}
)

// addAccounts puts the admitted users and their accounts into the options.
func addAccounts(opts *server.Options, users []UserSpec, keys map[string]string) error {
	entries := map[Account]accountEntry{AccountBus: {JetStream: "enabled"}}
	for _, u := range users {
		key, admitted := keys[u.Name]
		if !admitted {
			continue
		}
		e := entries[u.Account]
		e.Users = append(e.Users, userEntry{key, permissions{
			Publish:   allowed{u.Publish},
			Subscribe: allowed{slices.Concat(u.Subscribe, u.inboxes())},
			Responses: u.Responds,
		}})
		if u.Account != AccountBus {
			e.Imports = append(e.Imports, u.imports()...)
			home := entries[AccountBus]
			home.Exports = append(home.Exports, u.exports()...)
			entries[AccountBus] = home
		}
		entries[u.Account] = e
	}
	text, err := exchange.Encode(accountsFile{entries})
	if err != nil {
		return err
	}
	return opts.ProcessConfigString(string(text))
}

// imports of a guest: what it may publish are services, what it may subscribe
// to are streams, in NATS's sense.
func (u UserSpec) imports() []importEntry {
	var list []importEntry
	for _, s := range u.Publish {
		list = append(list, importEntry{Service: &foreign{AccountBus, s}})
	}
	for _, s := range u.Subscribe {
		list = append(list, importEntry{Stream: &foreign{AccountBus, s}})
	}
	return list
}

func (u UserSpec) exports() []exportEntry {
	var list []exportEntry
	for _, s := range u.Publish {
		e := exportEntry{Service: s, Accounts: []Account{u.Account}}
		if strings.HasPrefix(s, directGet("")) {
			e.Response = "stream" // one request, many messages
		}
		list = append(list, e)
	}
	for _, s := range u.Subscribe {
		list = append(list, exportEntry{Stream: s, Accounts: []Account{u.Account}})
	}
	return list
}
