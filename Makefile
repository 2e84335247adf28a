# SPDX-License-Identifier: MIT
# xdna: the one door.  `make run` plays the conformance suite, `make check` passes the tests.
# Rooms: spec <- model <- impl, and conformance (which knows an implementation through sockets only).

CC       ?= gcc
BUILD    ?= build
CFLAGS   ?= -O2 -g
WARN     := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Werror
INC      := -I. -I$(BUILD)/lists
PROFILE  ?= xdna
ARGS     ?=

PKGS     := openssl libevent libevent_openssl libunbound ldns libxml-2.0 libidn2 libgsasl jansson libcurl
# Looked up when a compiler is called, so that `make run` may install the packages first.
PKGFLAGS  = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKGLIBS   = $(shell pkg-config --libs $(PKGS) 2>/dev/null)
LDLIBS    = $(PKGLIBS)

SPEC_SRC  := $(filter-out spec/texts.c,$(wildcard spec/*.c))
VERIFY_SRC := $(wildcard model/verify*.c)
MODEL_SRC := $(filter-out model/tool.c model/tool_derive.c model/interp.c $(VERIFY_SRC),$(wildcard model/*.c))
GEN_SRC   := $(wildcard impl/gen/*.c)
IMPL_SRC  := $(filter-out impl/server_main.c impl/client_main.c,$(wildcard impl/*.c))
CONF_SRC  := $(filter-out conformance/main.c,$(wildcard conformance/*.c) $(wildcard conformance/lab/*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
SPEC_OBJ  := $(call obj,$(SPEC_SRC))
MODEL_OBJ := $(call obj,$(MODEL_SRC)) $(SPEC_OBJ)
# The model checker runs the tables through the interpreter; model-tool and xdna have both.
VERIFY_OBJ := $(call obj,$(VERIFY_SRC))
GEN_OBJ   := $(call obj,$(GEN_SRC))
IMPL_OBJ  := $(call obj,$(IMPL_SRC))
CONF_OBJ  := $(call obj,$(CONF_SRC))

# The prooftypes are the tables that are there: model/prooftype_NAME.def, with impl/prooftype_NAME.c.
# The two lists are written anew only when they change, so that nothing is compiled in vain.
$(shell model/prooftypes.sh $(BUILD)/lists)

PROGRAMS  := $(BUILD)/xdna $(BUILD)/xdna-server $(BUILD)/xdna-server-test $(BUILD)/xdna-client \
             $(BUILD)/xdna-client-test \
             $(BUILD)/model-tool $(BUILD)/spec-texts
TEST_SRC  := $(wildcard spec/test/test_*.c model/test/test_*.c impl/test/test_*.c conformance/test/test_*.c)
test_bin   = $(BUILD)/test/$(subst /test/,_,$(basename $(1)))
TESTS     := $(foreach t,$(TEST_SRC),$(call test_bin,$(t)))

.PHONY: all run check clean gen gen-check layers unit sanitize model-check lint texts bench mutants packages tests
all: $(PROGRAMS)

-include .ci/check.mk

packages:
	@.ci/packages $(PROFILE)

run: packages
	@[ -x $(BUILD)/xdna ] || echo "building into $(BUILD)/ (about a minute)"
	@$(MAKE) --no-print-directory -s -j2 $(BUILD)/xdna $(BUILD)/xdna-server $(BUILD)/xdna-client
	@$(BUILD)/xdna run --profile $(PROFILE) $(ARGS); status=$$?; \
	 if [ $$status -ne 0 ]; then echo "make run: xdna run ended with status $$status (see conformance/README.md)"; exit $$status; fi

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(WARN) $(INC) $(PKGFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/impl/%_main_test.o: impl/%_main.c
	@mkdir -p $(@D)
	$(CC) $(WARN) $(INC) $(PKGFLAGS) $(CFLAGS) -DDNA_TEST_BUILD -MMD -MP -c $< -o $@

$(BUILD)/xdna: $(BUILD)/obj/conformance/main.o $(CONF_OBJ) $(VERIFY_OBJ) $(BUILD)/obj/model/interp.o $(MODEL_OBJ)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/xdna-server: $(BUILD)/obj/impl/server_main.o $(IMPL_OBJ) $(GEN_OBJ) $(MODEL_OBJ)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/xdna-server-test: $(BUILD)/obj/impl/server_main_test.o $(BUILD)/obj/model/interp.o $(IMPL_OBJ) $(MODEL_OBJ)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/xdna-client-test: $(BUILD)/obj/impl/client_main_test.o $(BUILD)/obj/model/interp.o $(IMPL_OBJ) $(MODEL_OBJ)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/xdna-client: $(BUILD)/obj/impl/client_main.o $(IMPL_OBJ) $(GEN_OBJ) $(MODEL_OBJ)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/bench-idle: $(BUILD)/obj/conformance/bench/idle.o $(CONF_OBJ) $(BUILD)/obj/model/interp.o $(MODEL_OBJ)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/model-tool: $(BUILD)/obj/model/tool.o $(BUILD)/obj/model/tool_derive.o $(VERIFY_OBJ) $(BUILD)/obj/model/interp.o $(MODEL_OBJ)
	$(CC) $(CFLAGS) $^ -lcrypto -o $@
$(BUILD)/spec-texts: $(BUILD)/obj/spec/texts.o $(SPEC_OBJ)
	$(CC) $(CFLAGS) $^ -lcrypto -o $@

# Unit tests: one CUnit program a file, linked with its own room and what that may depend on.
$(BUILD)/test/spec_%: $(BUILD)/obj/spec/test/%.o $(SPEC_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $^ -lcunit -lcrypto -o $@
$(BUILD)/test/model_test_verify $(BUILD)/test/model_test_verify_prooftypes: $(VERIFY_OBJ)
$(BUILD)/test/model_%: $(BUILD)/obj/model/test/%.o $(BUILD)/obj/model/interp.o $(MODEL_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $^ -lcunit -lcrypto -o $@
$(BUILD)/test/impl_%: $(BUILD)/obj/impl/test/%.o $(IMPL_OBJ) $(GEN_OBJ) $(MODEL_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $^ -lcunit $(LDLIBS) -o $@
$(BUILD)/test/conformance_%: $(BUILD)/obj/conformance/test/%.o $(CONF_OBJ) $(BUILD)/obj/model/interp.o $(MODEL_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $^ -lcunit $(LDLIBS) -o $@
tests: $(TESTS)

# Generated code: impl/gen/ is checked in and disposable.
gen: $(BUILD)/model-tool
	@mkdir -p impl/gen
	@rm -f impl/gen/*.gen.c
	$(BUILD)/model-tool gen impl/gen
	@mkdir -p model/reference && rm -f model/reference/*.md
	$(BUILD)/model-tool docs model/reference
# Figures, never verdicts: see conformance/bench/bench.sh.
bench: all $(BUILD)/bench-idle
	@conformance/bench/bench.sh $(BUILD)
texts: $(BUILD)/spec-texts
	$(BUILD)/spec-texts $(TEXTS)

clean:
	rm -rf build build-*

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
