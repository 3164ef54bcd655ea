package native

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"

	contract "chancery/chaincode"
	"chancery/compose"
)

// connection is the connection.json of a chaincode that runs as a service: how
// a peer reaches its department's chaincode server, over mutual TLS.
type connection struct {
	Address            string `json:"address"`
	DialTimeout        string `json:"dial_timeout"`
	TLSRequired        bool   `json:"tls_required"`
	ClientAuthRequired bool   `json:"client_auth_required"`
	ClientKey          string `json:"client_key"`  // PEM
	ClientCert         string `json:"client_cert"` // PEM
	RootCert           string `json:"root_cert"`   // PEM
}

// packageMetadata is the metadata.json of a chaincode package.
type packageMetadata struct {
	Type  string `json:"type"`
	Label string `json:"label"`
}

// packageType is the kind of chaincode that Builder accepts.
const packageType = "chancery"

// chaincodePackage makes a department's chaincode package and its id. The same
// department gets the same bytes each time: the id is a digest of them.
func (n *Network) chaincodePackage(d compose.Department) (data []byte, id string, err error) {
	read := func(names ...string) string {
		file, readErr := os.ReadFile(n.path(append([]string{d.Name}, names...)...))
		if readErr != nil && err == nil {
			err = readErr
		}
		return string(file)
	}
	c := connection{
		Address:     n.address(partName(d.Name, roleChaincode)),
		DialTimeout: "10s", TLSRequired: true, ClientAuthRequired: true,
		ClientKey:  read("tls", "chaincode-client", "key.pem"),
		ClientCert: read("tls", "chaincode-client", "cert.pem"),
		RootCert:   read("msp", "tlsca.pem"),
	}
	if err != nil {
		return nil, "", fmt.Errorf("package of %s: %w", d.Name, err)
	}
	label := n.topology.Chaincode.Name + "-" + n.topology.Chaincode.Version
	code, err := packFile("connection.json", c)
	if err != nil {
		return nil, "", err
	}
	metadata, err := json.Marshal(packageMetadata{Type: packageType, Label: label})
	if err != nil {
		return nil, "", err
	}
	data, err = pack([]packed{{"metadata.json", metadata}, {"code.tar.gz", code}})
	if err != nil {
		return nil, "", err
	}
	return data, chaincode.GetPackageID(label, data), nil
}

// packed is one file of an archive.
type packed struct {
	name string
	data []byte
}

func packFile(name string, value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return pack([]packed{{name, data}})
}

// pack makes a .tar.gz without times or owners.
func pack(files []packed) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for _, file := range files {
		header := &tar.Header{Name: file.name, Mode: 0o600, Size: int64(len(file.data)), Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.data); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// chaincodePart is a department's chaincode server.
func (n *Network) chaincodePart(d compose.Department, packageID string) (Part, error) {
	dir := n.path(d.Name)
	name := partName(d.Name, roleChaincode)
	ca := filepath.Join(dir, "msp", "tlsca.pem")
	file, err := saveServerConfig(filepath.Join(dir, "chaincode"), contract.ServerConfig{
		PackageID: packageID,
		Address:   n.address(name),
		TLS: contract.ServerTLS{
			Cert:     filepath.Join(dir, "tls", "chaincode", "cert.pem"),
			Key:      filepath.Join(dir, "tls", "chaincode", "key.pem"),
			ClientCA: ca,
		},
	})
	if err != nil {
		return Part{}, fmt.Errorf("chaincode of %s: %w", d.Name, err)
	}
	return Part{
		Name: name, Department: d.Name, Role: roleChaincode,
		Path: n.program, Args: []string{"serve", "chaincode", "--config", file},
		Dir: filepath.Dir(file), Address: n.address(name), Grace: ownGrace,
		Ready: func(ctx context.Context) error {
			return dialTLS(ctx, n.address(name), ca, filepath.Join(dir, "tls", "chaincode-client"))
		},
	}, nil
}
