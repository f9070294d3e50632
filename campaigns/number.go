package campaigns

// Number is a telephone number in E.164 form: a plus sign and up to 15 digits.
// The empty Number is none.
type Number string
