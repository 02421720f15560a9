package chain

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPurity reads the package's own files. What is decided depends on the arguments only: no file, no
// socket, no database, no randomness, no clock, no goroutine, no variable that remembers.
//
// time.LoadLocation is the one exception. It reads the zone tables of the system or of the program; Europe/
// Berlin has no other definition. The zone's name stands in the definition, and the tables' version belongs
// to the installation, as the processor does.
func TestPurity(t *testing.T) {
	t.Parallel()
	forbidden := []string{"os", "net", "database/sql", "math/rand", "crypto/rand", "log", "io", "sync", "context", "runtime", "unsafe", "embed"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range file.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			root, _, _ := strings.Cut(name, "/")
			if slices.Contains(forbidden, name) || slices.Contains(forbidden, root) || slices.Contains(forbidden, path.Dir(name)) {
				t.Errorf("%s imports %s", set.Position(imp.Pos()), name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool { return impure(t, set, n) })
	}
	if files < 10 {
		t.Errorf("only %d files were read", files)
	}
}

// impure reports what reads a clock, starts a goroutine or waits.
func impure(t *testing.T, set *token.FileSet, n ast.Node) bool {
	t.Helper()
	clock := []string{"Now", "Since", "Until", "Sleep", "Tick", "After", "AfterFunc", "NewTimer", "NewTicker", "Local"}
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
			t.Errorf("%s: time.%s", set.Position(n.Pos()), n.Sel.Name)
		}
	case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt:
		t.Errorf("%s: a decision does nothing at the same time as something else", set.Position(n.Pos()))
	case *ast.File:
		for _, decl := range n.Decls {
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				t.Errorf("%s: a variable of the package could remember", set.Position(g.Pos()))
			}
		}
	}
	return true
}
