// Package story holds the tests that run the whole product as its users would: the real binary, real
// SSH servers, the real cron, a real browser, and somebody who pulls the plug.
package story
