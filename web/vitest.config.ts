// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["client/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    reporters: ["default", ["junit", { outputFile: "../build/test-results/web-vitest.xml" }]],
  },
});
