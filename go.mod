module signalbox

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.0 // tests: events of the browser, comes with chromedp
	github.com/chromedp/chromedp v0.23.0 // tests: drives headless Chromium without a driver of its own
	github.com/go-resty/resty/v2 v2.17.2 // fixed choice: the command line's calls of the API
	github.com/labstack/echo/v4 v4.16.0 // fixed choice: pages and API
	github.com/pkg/sftp v1.13.12 // fixed choice: the simulated host's SFTP subsystem
	github.com/rogpeppe/go-internal v1.16.0 // tests: testscript, the command line as stories
	github.com/skeema/knownhosts v1.3.3 // strict host keys: picks the algorithms that known_hosts has, tells changed from unknown
	github.com/spf13/cobra v1.10.2 // command line: help, completion, suggestions
	go.yaml.in/yaml/v3 v3.0.6 // configuration: nodes with line and column
	golang.org/x/crypto v0.58.0 // fixed choice: SSH
	golang.org/x/net v0.60.0 // tests: html, to hold pages to the standard
	modernc.org/sqlite v1.60.0 // fixed choice; later versions need a test module that the proxy does not serve, which breaks go mod tidy
)

require (
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/kr/fs v0.1.0 // indirect
	github.com/labstack/gommon v0.5.0 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/valyala/fasttemplate v1.2.2 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	modernc.org/libc v1.77.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)
