package pages

import (
	"strings"

	"github.com/labstack/echo/v4"

	"signalbox/federation/chain"
)

// What was just done stands in the address that a form came back to. Only words of ours and names that
// exist are shown: anybody can write an address.

// flashVerb tells which command was recorded for which node.
func flashVerb(c echo.Context, nodes []chain.NodeState) string {
	verb, node, _ := strings.Cut(c.QueryParam("done"), ":")
	for i := range nodes {
		for _, v := range allVerbs() {
			if string(v.Verb) == verb && nodes[i].Name == node {
				return v.Label + " was recorded for " + node + "."
			}
		}
	}
	return ""
}

// flashDone says text if what is what was done.
func flashDone(c echo.Context, what, text string) string {
	if c.QueryParam("done") == what {
		return text
	}
	return ""
}
