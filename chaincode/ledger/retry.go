package ledger

import (
	"strings"

	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"chancery/chaincode/exchange"
)

// remedy is what to do after a stage of a transaction ended without success.
type remedy int

const (
	repeat   remedy = iota // the same stage again after a pause: endorse anew, submit the same bytes, ask for the status
	disagree               // endorsers gave different results: endorse anew, at most maxDisagreements times
	renew                  // a new transaction after a pause, at most maxRenewals times
	renewOne               // a new transaction, once
	inquire                // a copy was in the way of the transaction: ask what became of the first, at most maxInquiries times
	refused                // the contract said no: never again
	broken                 // trying again does not help
)

const (
	maxDisagreements = 3 // tries in all
	maxRenewals      = 8 // tries in all
	maxInquiries     = 3
)

// What the gateway's answers say in words alone.
const (
	wordsOfContract = "chaincode response"
	wordsOfDisagree = "ProposalResponsePayloads do not match"
	wordsOfOthers   = "failed to collect enough transaction endorsements" // the first peer did endorse
	wordsOfDenial   = "access denied"
	wordsOfTimeout  = "timeout expired while executing transaction" // a chaincode that took too long
)

// permanent are the status codes of requests that are wrong by themselves.
var permanent = map[codes.Code]bool{
	codes.InvalidArgument: true, codes.Unimplemented: true, codes.PermissionDenied: true, codes.Unauthenticated: true,
}

// afterEndorse judges the error of an endorsement or an evaluation. Nothing
// was ordered, so whatever is not known to be final is tried again: peers that
// are down, a chaincode that is starting, gossip that has not told the peer of
// the other departments yet ("no combination of peers can be derived").
//
// A refusal is the contract's word if the first peer, the own one, says so. If
// only another peer does, it may be some blocks behind: that is a disagreement.
func afterEndorse(err error) (remedy, error) {
	for _, text := range texts(err) {
		_, said, found := strings.Cut(text, wordsOfContract)
		if !found {
			continue
		}
		refusal := exchange.ParseError(said)
		if refusal == nil {
			return broken, err
		}
		if strings.Contains(status.Convert(err).Message(), wordsOfOthers) {
			return disagree, refusal
		}
		return refused, refusal
	}
	for _, text := range texts(err) {
		if strings.Contains(text, wordsOfDenial) {
			return refused, exchange.Errorf(exchange.Denied, "the peer refuses this identity: %s", text)
		}
		if strings.Contains(text, wordsOfDisagree) {
			return disagree, err
		}
	}
	if permanent[status.Code(err)] {
		return broken, err
	}
	return repeat, err
}

// overdueAfter counts the endorsements in a row that took too long, by the
// client's time, the peer's or the chaincode's.
func overdueAfter(err error, before int) int {
	if status.Code(err) == codes.DeadlineExceeded {
		return before + 1
	}
	for _, text := range texts(err) {
		if strings.Contains(text, wordsOfTimeout) {
			return before + 1
		}
	}
	return 0
}

// afterSubmit judges the error of handing a transaction to the orderer. An
// orderer that calls the bytes wrong (ABORTED) did not order them; all else is
// unknown, and only the same bytes may follow.
func afterSubmit(err error) remedy {
	if code := status.Code(err); permanent[code] || code == codes.Aborted {
		return broken
	}
	return repeat
}

// afterStatus judges the error of asking what became of a transaction.
func afterStatus(err error) remedy {
	if permanent[status.Code(err)] {
		return broken
	}
	return repeat
}

// afterCommit judges the validation code of a transaction that was ordered but
// is not valid. One without a row is final.
var afterCommit = map[peer.TxValidationCode]remedy{
	peer.TxValidationCode_MVCC_READ_CONFLICT:         renew,
	peer.TxValidationCode_PHANTOM_READ_CONFLICT:      renew,
	peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE: renewOne,
	peer.TxValidationCode_EXPIRED_CHAINCODE:          renewOne,
	peer.TxValidationCode_DUPLICATE_TXID:             inquire,
}

func remedyOfCode(code peer.TxValidationCode) remedy {
	if r, ok := afterCommit[code]; ok {
		return r
	}
	return broken
}

// inWords is an error on one line, the endorsers' own words first.
func inWords(err error) string { return strings.Join(texts(err), "; ") }

// texts are the words of an error: of its details first, where the endorsers
// speak for themselves, then of its status.
func texts(err error) []string {
	st := status.Convert(err)
	var list []string
	for _, d := range st.Details() {
		if detail, ok := d.(*gatewaypb.ErrorDetail); ok {
			list = append(list, detail.GetMessage())
		}
	}
	return append(list, st.Message())
}
