package archtest

import "testing"

func TestPackagesKeepTheRules(t *testing.T) {
	t.Parallel()
	for _, platform := range []struct {
		goos, goarch string
		patterns     []string
	}{
		{"linux", "amd64", []string{"./..."}},
		{"darwin", "arm64", []string{"./..."}},
		{"windows", "amd64", []string{"./..."}},
		{"wasip1", "wasm", []string{"./abi", "./guest/..."}},
	} {
		t.Run(platform.goos, func(t *testing.T) {
			t.Parallel()
			g := listed(t, platform.goos, platform.goarch, platform.patterns...)
			if !g["abi"].ours {
				t.Fatal("the listing lacks package abi: nothing was checked")
			}
			for _, r := range rules {
				for _, fault := range r.check(g) {
					t.Error(fault)
				}
			}
		})
	}
}
