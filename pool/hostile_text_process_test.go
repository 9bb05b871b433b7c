package pool_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/wasmpool/wasmpool/abi"
	wt "github.com/wasmpool/wasmpool/internal/wasmtest"
	"github.com/wasmpool/wasmpool/pool"
)

// giving is a module that gives a text to an import that takes a range.
func giving(text string, to func(g guest, at, size wt.Code) wt.Code, status int32) []byte {
	g := newGuest()
	pages := int32(len(text)>>16) + 1
	g.Data(0, text[:min(len(text), 64)])
	return g.attack(wt.Drop(wt.MemoryGrow(wt.I32(pages))), to(g, wt.I32(0), wt.I32(int32(len(text)))), wt.I32(status))
}

func toOutput(g guest, at, size wt.Code) wt.Code { return wt.Call(g.output, at, size) }
func toFail(g guest, at, size wt.Code) wt.Code   { return wt.Call(g.fail, at, size) }

// deep is a module that gives JSON of some depth to an import: head, then as
// many brackets as it is deep, closed again, then a brace.
func deep(head string, depth int32, tail string, to func(g guest, at, size wt.Code) wt.Code, status int32) []byte {
	g := newGuest()
	g.Data(0, head)
	n := int32(len(head))
	fill := func(at int32, with byte) wt.Code {
		return wt.MemoryFill(wt.I32(at), wt.I32(int32(with)), wt.I32(depth))
	}
	end := n + 2*depth
	body := []wt.Code{wt.Drop(wt.MemoryGrow(wt.I32(63))), fill(n, '['), fill(n+depth, ']')}
	for i, b := range []byte(tail) {
		body = append(body, wt.MemoryFill(wt.I32(end+int32(i)), wt.I32(int32(b)), wt.I32(1)))
	}
	body = append(body, to(g, wt.I32(0), wt.I32(end+int32(len(tail)))), wt.I32(status))
	return g.attack(body...)
}

func TestHostileTexts(t *testing.T) {
	const million = 1_000_000
	invalid := func(says string) verdict { return fails(abi.Returned, "InvalidResult", says) }
	hostile(t, []attack{
		{name: "a result that is no JSON", module: giving("{]", toOutput, 0), want: invalid("{]")},
		{name: "a result that is empty", module: giving("", toOutput, 0), want: invalid("not JSON")},
		{name: "a result that is two", module: giving("1 2", toOutput, 0), want: invalid("1 2")},
		{name: "a result that is not UTF-8", module: giving("\"\xff\xfe\"", toOutput, 0), want: invalid(`\xff`)},
		{name: "a result a million deep", module: deep("", million, "", toOutput, 0), want: invalid("[[[")},
		{name: "an error that is not UTF-8", module: giving("\xff\xfe", toFail, 1), want: fails(abi.Failed, "", "\ufffd")},
		{name: "an error that is no error", module: giving(`{"message":1}`, toFail, 1), want: fails(abi.Failed, "", `{"message":1}`)},
		{name: "an error whose data are not UTF-8", module: giving("{\"message\":\"m\",\"data\":\"\xff\"}", toFail, 1), want: cleanError("m")},
		{name: "an error whose member is not UTF-8", module: giving("{\"message\":\"m\",\"\xff\":[\"\xff\"]}", toFail, 1), want: cleanError("m")},
		{name: "an error a million deep", module: deep(`{"message":"m","data":`, million, "}", toFail, 1), want: fails(abi.Failed, "", "[[[")},
		{name: "an error as deep as may be", module: deep(`{"message":"m","data":`, 9_999, "}", toFail, 1), want: cleanError("m")},
		{name: "a log record a million deep", module: deep("", million, "", func(g guest, at, size wt.Code) wt.Code {
			return wt.Call(g.log, wt.I32(8), at, size)
		}, 0), want: returns("null")},
		{name: "a list of functions a million deep", module: func() []byte {
			g := newGuest()
			g.Func("attack", wt.I32(0))
			g.Func("wasmpool_functions", wt.Drop(wt.MemoryGrow(wt.I32(63))), wt.MemoryFill(wt.I32(0), wt.I32('['), wt.I32(million)),
				wt.Call(g.output, wt.I32(0), wt.I32(million)), wt.I32(0))
			return g.Bytes()
		}(), want: refused(abi.WrongShape, "JSON array")},
	})
}

// cleanError: the call failed with a message, and all of the error can be passed
// on as JSON.
func cleanError(message string) verdict {
	return judge(func(got json.RawMessage, err error) bool {
		var e *pool.WorkerError
		if fails(abi.Failed, "", message)(got, err) != "" || !errors.As(err, &e) {
			return false
		}
		b, err := json.Marshal(struct {
			Data  json.RawMessage            `json:",omitempty"`
			Extra map[string]json.RawMessage `json:",omitempty"`
		}{e.Data, e.Extra})
		return err == nil && utf8.Valid(b)
	}, "a WorkerError with message %q that can be passed on", message)
}
