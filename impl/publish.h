/* SPDX-License-Identifier: MIT */
/* publish: `xdna-server posh` and `xdna-server tlsa`, which print (and serve) what an operator
 * publishes so that others can prove his domains. */
#ifndef DNA_IMPL_PUBLISH_H
#define DNA_IMPL_PUBLISH_H

/* dna_publish_is() says whether word is one of the two. */
int dna_publish_is(const char *word);
/* dna_publish() runs one; argv[0] is the word. Returns the exit status: 0, 1 if something cannot be
 * read or listened on, 2 if it was called wrongly or the configuration is refused. */
int dna_publish(int argc, char **argv);
#endif
