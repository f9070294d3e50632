package rules

import "time"

// Mark says how sure we are of a rule.
type Mark string

// The marks, from best to worst.
const (
	Primary   Mark = "A" // the text of the law, the regulator or the register's operator
	Secondary Mark = "B" // consistent reputable secondary sources
	Weak      Mark = "C" // one weak source: confirm before relying on it
	Trade     Mark = "K" // common knowledge in the trade, no source at hand: confirm
)

// Rule is one rule with its parameters. Exactly one of the pointers is set.
type Rule struct {
	ID        string   `yaml:"id"` // unique in its file, as it.rpo
	ValidFrom Date     `yaml:"valid_from"`
	ValidTo   Date     `yaml:"valid_to"` // last day on which it holds; none: open end
	Cite      string   `yaml:"cite"`     // law, article
	Source    string   `yaml:"source"`   // where the text was read
	Sure      Mark     `yaml:"sure"`
	Voluntary bool     `yaml:"voluntary"` // a code of conduct, not a statute
	Note      string   `yaml:"note"`
	Regions   []string `yaml:"regions"`    // only there (ISO 3166-2); none: everywhere
	AreaCodes []string `yaml:"area_codes"` // or for numbers that begin so (national form)

	Screening   *Screening   `yaml:"screening"`
	OptIn       *OptIn       `yaml:"opt_in"`
	Sector      *Sector      `yaml:"sector"`
	Numbers     *Numbers     `yaml:"numbers"`
	Wireless    *Wireless    `yaml:"wireless"`
	Reassigned  *Reassigned  `yaml:"reassigned"`
	Hours       *Hours       `yaml:"hours"`
	Holidays    *Holidays    `yaml:"holidays"`
	Attempts    *Attempts    `yaml:"attempts"`
	CoolOff     *CoolOff     `yaml:"cooloff"`
	Abandon     *Abandon     `yaml:"abandon"`
	AbandonLock *AbandonLock `yaml:"abandon_lock"`
	MachineLock *MachineLock `yaml:"machine_lock"`
	Ring        *Ring        `yaml:"ring"`
	CallerID    *CallerID    `yaml:"caller_id"`
	Callback    *Callback    `yaml:"callback"`
	Recording   *Recording   `yaml:"recording"`
	Retention   *Retention   `yaml:"retention"`

	line int // in its file
}

// Shape is how a register answers.
type Shape string

// The shapes of a register.
const (
	ByVerdict Shape = "verdict" // numbers are submitted and come back with a verdict
	ByList    Shape = "list"    // the register is downloaded
	None      Shape = "none"    // there is none to consult: an explicit statement
)

// Lift says which consent lifts a registration.
type Lift string

// The lifts.
const (
	NoConsent    Lift = ""      // none does
	AnyConsent   Lift = "any"   // any in force
	LaterConsent Lift = "after" // one given after the register last said that the number is on it
)

// Screening demands that a register was consulted.
type Screening struct {
	Register     string   `yaml:"register"` // rpo, us-dnc, tps
	Shape        Shape    `yaml:"shape"`
	MaxAge       Duration `yaml:"max_age"`       // of verdict or list at the moment of the call
	PerCampaign  bool     `yaml:"per_campaign"`  // a verdict must be taken after the campaign was created
	Consent      Lift     `yaml:"consent"`       // which consent lifts a registration
	Contract     bool     `yaml:"contract"`      // a contract in force lifts it
	ContractDays int      `yaml:"contract_days"` // and so many days after its end
	InquiryDays  int      `yaml:"inquiry_days"`  // an inquiry by the person at most so many days ago lifts it; 0: never
	Purposes     []string `yaml:"purposes"`      // only campaigns with these purposes; none: all
}

// OptIn demands a consent on file.
type OptIn struct {
	Purposes     []string `yaml:"purposes"`      // only campaigns with these purposes; none: all
	MaxAge       Duration `yaml:"max_age"`       // of the consent; 0: no limit
	Contract     bool     `yaml:"contract"`      // a contract in force stands in for it
	ContractDays int      `yaml:"contract_days"` // so many days after the contract's end still
	ContractFor  []string `yaml:"contract_for"`  // purposes for which the contract is enough; none: all
	Exempt       []string `yaml:"exempt"`        // purposes that need no consent
	Prior        bool     `yaml:"prior"`         // a customer record for similar products stands in for it
}

// Sector bans calls for a trade, or demands a consent for that sector.
type Sector struct {
	Name     string   `yaml:"name"`    // energy
	Also     []string `yaml:"also"`    // other words for it
	Consent  bool     `yaml:"consent"` // allowed with a consent that names the sector; false: banned
	Contract bool     `yaml:"contract"`
	Purposes []string `yaml:"purposes"`
}

// Numbers says which numbers may be called at all.
type Numbers struct {
	Countries []string `yaml:"countries"` // ISO 3166-1 alpha-2 of the number
	Kinds     []string `yaml:"kinds"`     // campaigns.Kind: fixed, mobile, fixed_or_mobile, ...
}

// Wireless demands a current list of wireless and ported numbers and, for
// those on it, a consent that covers autodialed calls.
type Wireless struct {
	List   string   `yaml:"list"`
	MaxAge Duration `yaml:"max_age"`
}

// Reassigned voids consents that were given before a number went to another
// person, where a register of reassigned numbers was asked and says so, or was
// asked about a later date than that of the consent.
type Reassigned struct {
	Register string   `yaml:"register"` // of verdicts; registered means: reassigned since, or not known
	MaxAge   Duration `yaml:"max_age"`  // of a clear answer; an older one counts as none. 0: no limit
	Required bool     `yaml:"required"` // a consent counts only with a clear answer for its date
}

// Holidays is the calendar of public holidays.
type Holidays struct {
	Days     []HolidayRule `yaml:"days"`
	Observed Observed      `yaml:"observed"` // where a holiday on a weekend is kept
}

// Attempts caps how often one number is called.
type Attempts struct {
	Max int      `yaml:"max"`
	Per Duration `yaml:"per"` // rolling
}

// CoolOff forbids calls after a refusal.
type CoolOff struct {
	Days int `yaml:"days"` // whole calendar days at the jurisdiction's zone
}

// Base is the denominator of an abandon rate.
type Base string

// The bases. They are pacing's OfLiveAnswered and OfConnected.
const (
	OfLiveAnswered Base = "live_answered" // abandoned / (abandoned + connected)
	OfConnected    Base = "connected"     // abandoned / connected
)

// Period is the kind of window over which an abandon rate is kept.
type Period string

// The periods. They are pacing's Rolling, Successive, Month and Campaign.
const (
	Rolling    Period = "rolling"
	Successive Period = "successive"
	Month      Period = "month"
	Campaign   Period = "campaign"
)

// Window is one cap on the abandon rate.
type Window struct {
	Period Period   `yaml:"period"`
	Length Duration `yaml:"length"` // rolling, successive
	Cap    float64  `yaml:"cap"`    // 0: none may be planned
	Base   Base     `yaml:"base"`
}

// Treatment is what a live answer gets at the deadline when there is no agent.
type Treatment string

// The treatments.
const (
	ComfortThenHangup Treatment = "comfort_then_hangup" // comfort noise from the answer on, then BYE
	Message           Treatment = "message"             // who called, their number and how to opt out
)

// Abandon defines an abandoned call, its caps and its treatment. The windows
// stand in order: the first is the headline cap.
type Abandon struct {
	Windows   []Window  `yaml:"windows"`
	Deadline  Duration  `yaml:"deadline"` // from Clock to agent or treatment
	Clock     string    `yaml:"clock"`    // answer, greeting_end; we always start at the answer, which is never later
	Treatment Treatment `yaml:"treatment"`
	Machines  bool      `yaml:"machines"` // answers that prove to be machines stay in the rate
	Hangups   bool      `yaml:"hangups"`  // a callee who leaves before the deadline counts as abandoned
	AMD       bool      `yaml:"amd"`      // default of answering-machine detection
}

// AbandonLock protects a number after an abandoned call.
type AbandonLock struct {
	Block     Duration `yaml:"block"`      // no call at all
	Agent     Duration `yaml:"agent"`      // only with an agent reserved
	AgentNext bool     `yaml:"agent_next"` // the next contact needs an agent reserved, however late
}

// MachineLock asks for a reserved agent after detection took an answer for a machine.
type MachineLock struct {
	Agent Duration `yaml:"agent"`
}

// Ring is the least time to let it ring.
type Ring struct {
	Minimum Duration `yaml:"minimum"`
}

// CallerID says what may be shown. A number must be shown in every jurisdiction.
type CallerID struct {
	Countries      []string `yaml:"countries"`      // of the number shown; none: any
	CallingCodes   []int    `yaml:"calling_codes"`  // of the number shown, beside countries; for ranges that belong to no subscriber
	Kinds          []string `yaml:"kinds"`          // of number; none: any
	DenyKinds      []string `yaml:"deny_kinds"`     // of number
	Prefixes       []string `yaml:"prefixes"`       // national prefixes that are enough by themselves; none: any
	OrCallable     bool     `yaml:"or_callable"`    // beside the prefixes, any line that takes calls back
	DenyPrefixes   []string `yaml:"deny_prefixes"`  // national
	DomesticTrunk  bool     `yaml:"domestic_trunk"` // must leave through a trunk of the country
	ProofOfControl bool     `yaml:"proof"`          // proof of the right to show it must be on file
}

// Callback says what a person gets who rings a number that was shown.
type Callback struct {
	Answer bool `yaml:"answer"`  // the call is answered
	Inform bool `yaml:"inform"`  // with words that say who called and why
	OptOut bool `yaml:"opt_out"` // and offers to be called no more
}

// Recording says what the law asks of whoever records calls.
type Recording struct {
	Notice   bool `yaml:"notice"`    // the person is told before it begins
	NotEvery bool `yaml:"not_every"` // not every call may be recorded
}

// The kinds of records that retention knows.
const (
	KeepCalls      = "calls"      // attempts, and what the journal knows of the person
	KeepStatistics = "statistics" // figures without persons
	KeepConsents   = "consents"
	KeepOptOuts    = "opt_outs"
	KeepLeads      = "leads"
	KeepScreenings = "screenings" // verdicts of registers
	KeepRecordings = "recordings"
)

// Kept lists the kinds of records that retention knows.
func Kept() []string {
	return []string{KeepCalls, KeepStatistics, KeepConsents, KeepOptOuts, KeepLeads, KeepScreenings, KeepRecordings}
}

// Retention says how long records are kept: erasing a person waits for it, and a purge
// comes after it.
type Retention struct {
	What  string `yaml:"what"` // one of Kept
	Years int    `yaml:"years"`
	Days  int    `yaml:"days"`
}

// For is the least time to keep the records, never short of the calendar's.
func (r Retention) For() time.Duration {
	days := r.Days + r.Years*365 + (r.Years+3)/4
	return time.Duration(days) * 24 * time.Hour
}
