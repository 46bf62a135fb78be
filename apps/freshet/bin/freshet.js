#!/usr/bin/env -S node --max-semi-space-size=16
import '../src/main.ts'
