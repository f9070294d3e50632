package campaigns

// Order is in which order a campaign's leads are called, those of one priority.
// Calls at an agreed time come first, then retries, then fresh leads, whatever it is.
type Order string

// The orders of leads.
const (
	OrderList       Order = "list"       // as they were loaded
	OrderShuffled   Order = "shuffled"   // fresh ones from all over the list, the same way on every node and after a restart
	OrderPropensity Order = "propensity" // those likely to answer first, as learned from the campaign's calls
)

func orders() []string {
	return []string{string(OrderList), string(OrderShuffled), string(OrderPropensity)}
}

// AgentOrder is which of the ready agents gets the next call.
type AgentOrder string

// The orders of agents.
const (
	AgentsIdle   AgentOrder = "idle"   // who has waited longest
	AgentsListed AgentOrder = "listed" // the first in the campaign's agents
	AgentsFewest AgentOrder = "fewest" // who took the fewest of the campaign's calls today; of equals, who has waited longest
)

func agentOrders() []string {
	return []string{string(AgentsIdle), string(AgentsListed), string(AgentsFewest)}
}

// orders checks what is called first, and by whom.
func (v *validator) orders(c *Campaign) {
	v.oneOf("order", string(c.Order), orders())
	v.oneOf("agent_order", string(c.AgentOrder), agentOrders())
	if c.AgentOrder == AgentsListed && len(c.Agents) == 0 {
		v.add("agent_order", string(c.AgentOrder), "needs the campaign's agents", "list them in agents, the first one first")
	}
}

// oneOf checks a word that must be one of some; empty stands for the first.
func (v *validator) oneOf(key, word string, words []string) {
	if word == "" {
		return
	}
	for _, w := range words {
		if w == word {
			return
		}
	}
	mend := "use " + alternatives(words)
	if near := nearest(word, words); near != "" {
		mend = "did you mean " + near + "?"
	}
	v.add(key, word, "is not one of its values", mend)
}

// alternatives writes a, b or c.
func alternatives(words []string) string {
	text := ""
	for i, w := range words {
		switch i {
		case 0:
		case len(words) - 1:
			text += " or "
		default:
			text += ", "
		}
		text += w
	}
	return text
}
