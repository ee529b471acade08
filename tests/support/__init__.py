# SPDX-License-Identifier: Apache-2.0
"""What Python tests, benches and the terminal chat share. No test lives here."""
