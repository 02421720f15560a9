package config

import "strings"

// closest finds the name that was probably meant, or nothing.
func closest(given string, names []string) string {
	best, limit := "", len(given)/3+1 // short names differ by one letter, long ones by more
	if len(given) == 2 {
		limit++
	}
	given = fold(given)
	for _, name := range names {
		d := distance(given, fold(name))
		if prefixed(given, fold(name)) {
			d = 1
		}
		if d < limit {
			best, limit = name, d
		}
	}
	return best
}

// prefixed tells whether one of two names is a shortened form of the other.
func prefixed(a, b string) bool {
	const least = 3
	return min(len(a), len(b)) >= least && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

func fold(s string) string {
	return strings.NewReplacer("-", "_", " ", "_", ".", "_").Replace(strings.ToLower(s))
}

// meant makes the hint of a suggestion; no suggestion gives no hint.
func meant(suggestion string) string {
	if suggestion == "" {
		return ""
	}
	return "did you mean " + suggestion + "?"
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to get from a
// to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
