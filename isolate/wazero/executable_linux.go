package wazero

// executable names the file of this program, even when its path leads to
// another one by now.
func executable() (string, error) { return "/proc/self/exe", nil }
