package schedule

import "strings"

const cronieNumber = 131072 // a number must be shorter

// cronieField reads a field as cronie does: a list of ranges, each of which must be well-formed.
func (p *parser) cronieField(f field, word string) (set uint64, err error) {
	at := 0
	for part := range strings.SplitSeq(word, ",") {
		bits, err := p.cronieRange(f, part, at)
		if err != nil {
			return 0, err
		}
		set |= bits
		at += len(part) + 1
	}
	return f.sunday(set), nil
}

// cronieRange reads one part of a list: "*" or "N-M", each perhaps with a step, "N", or "[N]~[M]". at is
// where it stands in its word.
func (p *parser) cronieRange(f field, text string, at int) (uint64, error) {
	low, high := int32(f.low), int32(f.high) //nolint:gosec // at most 59
	rest, here := text, at
	number := func(names []string) (n int32, err error) {
		n, length, err := f.vixieNumber(rest, here, cronieNumber, names)
		rest, here = rest[length:], here+length
		return n, err
	}
	switch {
	case strings.HasPrefix(text, "*"):
		rest, here = rest[1:], here+1
	case strings.HasPrefix(text, "~"):
		return p.cronieLot(f, text, at, at, low)
	default:
		n, err := number(f.names)
		if err != nil {
			return 0, err
		}
		low, high = n, n
		switch {
		case rest == "":
		case rest[0] == '~':
			return p.cronieLot(f, text, at, here, low)
		case rest[0] == '-':
			rest, here = rest[1:], here+1
			if high, err = number(f.names); err != nil {
				return 0, err
			}
			if low > high && high == 0 && rest == "" {
				high = 7 // meant for N-sun, and done in all fields
			}
		case rest[0] == '/':
			return 0, faultAt(here, "a step needs a range or a star before it")
		}
	}
	step := int32(1)
	if strings.HasPrefix(rest, "/") {
		rest, here = rest[1:], here+1
		n, err := number(nil)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, faultAt(here-1, "a step of 0")
		}
		step = n
	}
	if rest != "" {
		return 0, faultAt(here, "%q has no meaning here", rest)
	}
	set, err := f.vixieRange(at, low, high, step)
	if err == nil {
		p.remark(f, text, text[0] == '*', low, high, step)
	}
	return set, err
}

// cronieLot reads the part of "[N]~[M]" from its ~ on, which stands at byte here of the word; the part
// begins at byte at. Of what may be drawn, the lowest value stands for all.
func (p *parser) cronieLot(f field, text string, at, here int, low int32) (uint64, error) {
	high, rest := int32(f.high), text[here-at+1:] //nolint:gosec // at most 59
	if rest != "" {
		n, length, err := f.vixieNumber(rest, here+1, cronieNumber, f.names)
		if err != nil {
			return 0, err
		}
		if length < len(rest) {
			return 0, faultAt(here+1+length, "%q has no meaning here", rest[length:])
		}
		high = n
	}
	if low > high {
		return 0, faultAt(at, "%q runs backwards", text)
	}
	lowest := max(low, int32(f.low)) //nolint:gosec // at most 1
	if !f.has(lowest) || high < lowest {
		return 0, f.outside(at, low)
	}
	p.s.drawn = append(p.s.drawn, f.name)
	p.s.note("%s %q is drawn by lot when cronie loads the table: nobody outside it knows the value; %d stands for it here", f.name, text, lowest)
	if !f.has(low) || !f.has(high) {
		p.s.note("%s %q reaches beyond %d-%d: when cronie draws a value outside, it drops the line until it loads the table again", f.name, text, f.low, f.high)
	}
	return 1 << lowest, nil
}
