// SPDX-License-Identifier: Apache-2.0

// daprd, exactly as Dapr ships it: only the building is ours.
package main

import "github.com/dapr/dapr/cmd/daprd/app"

func main() { app.Run() }
