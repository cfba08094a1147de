package tui

// sheet is a text to scroll through. It is a part of a screen.
type sheet struct {
	text *text
	top  int
	w, h int
}

// show puts another text on it, or the same as it is now, and stays where it is.
func (s *sheet) show(t *text) {
	s.text = t
	s.settle()
}

func (s *sheet) size(w, h int) {
	s.w, s.h = w, h
	s.settle()
}

func (s *sheet) settle() {
	if s.text != nil {
		s.text.fold(s.w - 2)
	}
	s.top = max(0, min(s.top, s.text.len()-s.h))
}

// act does the actions that move about it, and reports whether a is one.
func (s *sheet) act(a action) bool {
	page := max(1, s.h-1)
	by, ok := map[action]int{goDown: 1, goUp: -1, goHalfDown: max(1, page/2), goHalfUp: -max(1, page/2),
		goPageDown: page, goPageUp: -page, goTop: -s.text.len(), goBottom: s.text.len()}[a]
	s.top += by
	s.settle()
	return ok
}

// lines draws it in h lines.
func (s *sheet) lines(th *theme, w, h int) []string {
	if s.text == nil {
		return []string{th.line(w, span{dim, " reading…"})}
	}
	var out []string
	for n := s.top; n < min(s.top+h, s.text.len()); n++ {
		out = append(out, " "+s.text.draw(th, n, 0, w-1, nil))
	}
	return out
}
