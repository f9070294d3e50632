package truth

// Digits is the number without everything that is no digit and without a
// leading 00, so that +39..., 0039... and 39... are one.
func Digits(number string) string {
	b := make([]byte, 0, len(number))
	for i := range len(number) {
		if c := number[i]; c >= '0' && c <= '9' {
			b = append(b, c)
		}
	}
	if len(b) > 2 && b[0] == '0' && b[1] == '0' {
		b = b[2:]
	}
	return string(b)
}
