package wazero

import (
	"testing"

	"github.com/wasmpool/wasmpool/isolate/engine/enginetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, New)
}
