package main

import (
	"testing"

	"github.com/wasmpool/wasmpool/guest/guesttest"
)

func TestWhatGoesInComesOut(t *testing.T) {
	t.Parallel()
	people := []person{{Name: "A", Age: 3, Weight: 1.5, Active: true, Tags: []string{"x"}, Address: map[string]string{"city": "C", "street": "S"}}}
	const encoded = `[{"name":"A","age":3,"weight":1.5,"active":true,"tags":["x"],"address":{"city":"C","street":"S"}}]`
	for function, want := range map[string]string{"recode": encoded, "echo": "[" + encoded + "]"} {
		if got, err := guesttest.Call(t, function, people); err != nil || string(got) != want {
			t.Errorf("%s = %s, %v, want %s", function, got, err, want)
		}
	}
	if got, err := guesttest.Call(t, "echoText", "text"); err != nil || string(got) != `"text"` {
		t.Errorf("echoText = %s, %v", got, err)
	}
}
