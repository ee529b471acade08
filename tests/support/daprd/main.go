// SPDX-License-Identifier: Apache-2.0

// daprd, exactly as Dapr ships it: only the building is ours. Called as "sentry" it is Dapr's certificate
// authority, which gives each app its identity.
package main

import (
	"os"
	"path/filepath"

	daprd "github.com/dapr/dapr/cmd/daprd/app"
	sentry "github.com/dapr/dapr/cmd/sentry/app"
)

func main() {
	if filepath.Base(os.Args[0]) == "sentry" {
		sentry.Run()
		return
	}
	daprd.Run()
}
