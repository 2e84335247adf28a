# SPDX-License-Identifier: MIT
# check.mk -- what `make check` is made of.  Included by the Makefile.

SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

check:
	@.ci/packages check
	@$(MAKE) --no-print-directory -s check-all

check-all:
	@echo "== build with gcc, all warnings are errors"
	@$(MAKE) --no-print-directory -s -j2 CC=gcc BUILD=build all
	@MAKE="$(MAKE)" .ci/beside check-tables check-sanitized
	@echo "== the conformance suite against the reference server"
	@build/xdna run --profile xdna --strict-features
	@echo "== make check: everything passed"

check-tables:
	@echo "== tables: checked, and generated code is what they say"
	@$(MAKE) --no-print-directory -s layers model-check gen-check
	@echo "== tables: every mutant of every row is equivalent, or the derived suites kill it"
	@$(MAKE) --no-print-directory -s model-mutants
	@echo "== the tables against an attacker: claims, limits, planted bugs"
	@$(MAKE) --no-print-directory -s verify
	@echo "== scenarios: every script is sound"
	@build/xdna lint
	@echo "== the tools' exit statuses and messages"
	@$(MAKE) --no-print-directory -s exits
	@echo "== one row edited: generated files, server and oracle follow"
	@$(MAKE) --no-print-directory -s one-row
	@echo "== a further prooftype: one table and one file"
	@$(MAKE) --no-print-directory -s toy-prooftype

# Runs beside check-tables, and so in a folder of its own.
check-sanitized:
	@echo "== build with clang, all warnings are errors; unit tests under AddressSanitizer and UndefinedBehaviorSanitizer"
	@$(MAKE) --no-print-directory -s -j2 CC=clang BUILD=build-sanitized CFLAGS="$(SAN)" all tests
	@$(MAKE) --no-print-directory -s CC=clang BUILD=build-sanitized CFLAGS="$(SAN)" unit

unit: tests
	@ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 .ci/unit "unit" $(TESTS)

layers:
	@.ci/layers

model-check: $(BUILD)/model-tool
	@$(BUILD)/model-tool check
	@for trace in fixtures/traces/*.trace; do \
	  said=$$($(BUILD)/model-tool walk $$trace); wanted=$$(sed -n '1s/.*: \(allowed\|refused at line [0-9]*\)$$/\1/p' $$trace); \
	  case "$$wanted" in allowed) echo "$$said" | grep -q ': allowed by' ;; \
	  *) echo "$$said" | grep -q ":$${wanted##* }: refused" ;; esac && echo "$$trace: $$wanted, as it should be" || \
	  { echo "$$trace: wanted $$wanted, got: $$said"; exit 1; }; done

model-mutants: $(BUILD)/model-tool
	@$(BUILD)/model-tool uniformity
	@$(BUILD)/model-tool mutate all

# Generated files are compared in a folder of their own, so that a checkout is never changed by a check.
gen-check: $(BUILD)/model-tool
	@rm -rf $(BUILD)/gen && mkdir -p $(BUILD)/gen/impl $(BUILD)/gen/docs
	@$(BUILD)/model-tool gen $(BUILD)/gen/impl >/dev/null && $(BUILD)/model-tool docs $(BUILD)/gen/docs >/dev/null
	@diff -r $(BUILD)/gen/impl impl/gen && diff -r $(BUILD)/gen/docs model/reference && \
	 echo "gen-check: impl/gen and model/reference are what the tables say" || \
	 { echo "gen-check: generated files differ from the tables: run make gen"; exit 1; }

# The model checker: all claims and planted bugs in seconds; with alternatives, rows and documents in some minutes.
verify: $(BUILD)/model-tool
	@$(BUILD)/model-tool verify >$(BUILD)/verify.log; status=$$?; \
	 [ $$status -eq 0 ] || grep -v ': holds\|as documented\|refuted by' $(BUILD)/verify.log; tail -n 1 $(BUILD)/verify.log; exit $$status

prove-model: $(BUILD)/model-tool
	@$(BUILD)/model-tool verify
	@$(BUILD)/model-tool verify --choices
	@$(BUILD)/model-tool proof >$(BUILD)/PROOF.md && diff $(BUILD)/PROOF.md model/PROOF.md && echo "prove-model: model/PROOF.md is what was found"
	@rm -rf $(BUILD)/attack && mkdir -p $(BUILD)/attack && $(BUILD)/model-tool verify --bugs --scenarios $(BUILD)/attack >/dev/null && \
	 diff -r $(BUILD)/attack conformance/scenarios/attack && echo "prove-model: conformance/scenarios/attack is what was found"

prove-spin: $(BUILD)/model-tool
	@.ci/packages prove
	@CC="$(CC)" model/test/spin.sh $(BUILD)

# What refutes each planted bug, over sockets: the reference passes it, and with the bug planted it fails.
prove-attacks: $(BUILD)/xdna $(BUILD)/xdna-server-test $(BUILD)/xdna-client-test
	@$(BUILD)/xdna mutate bugs

# The suite of every role against the reference; and whoever takes another alternative of a CHOICE is found out.
prove-derived: $(BUILD)/xdna $(BUILD)/xdna-server $(BUILD)/xdna-client
	@for role in receiving initiating authoritative c2s-server c2s-client; do \
	  $(BUILD)/xdna derive --role $$role --profile xdna --progress none >$(BUILD)/derived.log 2>&1; status=$$?; \
	  echo "derived $$role: $$(grep '^RESULT' $(BUILD)/derived.log || tail -n 1 $(BUILD)/derived.log)"; [ $$status -eq 0 ] || exit $$status; done

prove-probes: $(BUILD)/xdna $(BUILD)/xdna-server-test $(BUILD)/xdna-client-test
	@conformance/probes.sh $(BUILD)

prove-learn: $(BUILD)/xdna $(BUILD)/xdna-server $(BUILD)/xdna-server-test
	@$(BUILD)/xdna learn --profile xdna >$(BUILD)/learn.log 2>&1; status=$$?; \
	 echo "learn xdna: $$(grep '^RESULT' $(BUILD)/learn.log || tail -n 1 $(BUILD)/learn.log)"; [ $$status -eq 0 ]
	@$(BUILD)/xdna learn --profile xdna --mutants 50 >$(BUILD)/learn.log 2>&1; status=$$?; \
	 echo "learn mutants: $$(grep '^RESULT' $(BUILD)/learn.log || tail -n 1 $(BUILD)/learn.log)"; [ $$status -eq 0 ]

# All proofs: what needs the processor beside what waits for sockets.
prove: packages
	@.ci/packages prove
	@$(MAKE) --no-print-directory -s -j2 all
	@MAKE="$(MAKE)" .ci/beside prove-sockets prove-beside
	@echo "== make prove: everything holds"
# The learner waits nearly all the time: it goes beside what computes.
prove-beside:
	@MAKE="$(MAKE)" .ci/beside prove-learn prove-tables
prove-tables:
	@$(MAKE) --no-print-directory -s prove-model
	@$(MAKE) --no-print-directory -s prove-spin
prove-sockets:
	@$(MAKE) --no-print-directory -s prove-attacks
	@$(MAKE) --no-print-directory -s prove-probes
	@$(MAKE) --no-print-directory -s prove-derived
	@$(MAKE) --no-print-directory -s prove-mutants

lint: $(BUILD)/xdna
	@$(BUILD)/xdna lint

exits: $(BUILD)/xdna $(BUILD)/xdna-server $(BUILD)/xdna-server-test
	@conformance/test/judge.sh $(BUILD)

# For each case a damaged row that makes it fail, and for each row such a case: the lists are played, not believed,
# and what is not in them is searched.
mutants: $(BUILD)/xdna $(BUILD)/xdna-server-test $(BUILD)/xdna-client-test
	@$(BUILD)/xdna mutate cases $(ARGS)
	@$(BUILD)/xdna mutate rows $(ARGS)
killers: $(BUILD)/xdna $(BUILD)/xdna-server-test $(BUILD)/xdna-client-test
	@$(BUILD)/xdna mutate cases --write conformance/cases.killers
	@$(BUILD)/xdna mutate rows --write conformance/rows.killers

# Every first-order mutant of every row, over sockets; fewer than by default go to hand-written cases.
prove-mutants: $(BUILD)/xdna $(BUILD)/xdna-server-test $(BUILD)/xdna-client-test
	@$(BUILD)/xdna mutate mutants --sample 60

.PHONY: check-all check-tables check-sanitized exits verify prove-model prove-spin prove-attacks prove-derived prove-probes prove-mutants killers \
        prove prove-learn prove-tables prove-sockets prove-beside

# A toy prooftype, put into a copy of the checkout.
toy-prooftype: all
	@impl/test/toy_prooftype.sh $(BUILD)

# One row edited by script: generated files, server and oracle follow.
one-row: all $(BUILD)/test/model_test_walk
	@model/test/one_row.sh $(BUILD)
