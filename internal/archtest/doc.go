// Package archtest holds the rooms of this repository to the doors between
// them: which package must never reach which, and why.
//
// It consists of tests. The rules are in rules_test.go; depguard, configured in
// .golangci.yml, says the direct cases already in the editor.
package archtest
