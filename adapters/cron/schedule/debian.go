package schedule

// debianField reads a field as Debian's cron does: up to the first character that it has no use for,
// whatever follows.
func (p *parser) debianField(f field, word string) (set uint64, err error) {
	at := 0
	for {
		bits, end, err := p.debianRange(f, word, at)
		if err != nil {
			return 0, err
		}
		set |= bits
		if end < len(word) && word[end] == 0xff {
			return 0, faultAt(end, "it takes the byte 0xff for the end of the file")
		}
		if end == len(word) || word[end] != ',' {
			p.rubbish(f, word, end)
			return f.sunday(set), nil
		}
		at = end + 1
	}
}

// rubbish notes what is ignored behind the part of a field that is read.
func (p *parser) rubbish(f field, word string, end int) {
	if end == len(word) {
		return
	}
	meant := ""
	switch {
	case word[0] == '*' && digits(word[1:]) == len(word)-1:
		meant = `; probably "*/` + word[1:] + `" was meant`
	case word[end] == '#':
		meant = "; it does not know the n-th weekday of a month"
	case word[end] == '~':
		meant = "; only cronie draws a value by lot"
	}
	p.s.note("%s %q is read as %q, the rest is ignored%s", f.name, word, word[:end], meant)
}

const debianNumber = 1000 // a number must be shorter

// debianRange reads "*", "N" or "N-M", each but the second with a step, from byte at of the word on, and
// tells where it ends.
func (p *parser) debianRange(f field, word string, at int) (set uint64, end int, err error) {
	//nolint:gosec // at most 59
	low, high, step, begin := int32(f.low), int32(f.high), int32(1), at
	if star := at < len(word) && word[at] == '*'; star {
		at++
	} else {
		n, length, err := f.vixieNumber(word[at:], at, debianNumber, f.names)
		if err != nil {
			return 0, 0, err
		}
		at += length
		if at < len(word) && word[at] == '/' {
			return 0, 0, faultAt(at, "a step needs a range or a star before it")
		}
		if low, high = n, n; at < len(word) && word[at] == '-' {
			high, length, err = f.vixieNumber(word[at+1:], at+1, debianNumber, f.names)
			if err != nil {
				return 0, 0, err
			}
			at += 1 + length
		}
	}
	if at < len(word) && word[at] == '/' {
		n, length, err := f.vixieNumber(word[at+1:], at+1, debianNumber, nil)
		if err != nil {
			return 0, 0, err
		}
		if n == 0 {
			return 0, 0, faultAt(at+1, "a step of 0")
		}
		step, at = n, at+1+length
	}
	for _, n := range []int32{low, high} {
		if !f.has(n) {
			return 0, 0, f.outside(begin, n)
		}
	}
	if set, err = f.vixieRange(begin, low, high, step); err != nil {
		return 0, 0, err
	}
	p.remark(f, word[begin:at], word[begin] == '*', low, high, step)
	return set, at, nil
}
