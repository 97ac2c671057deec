/* The documents that the comparison with simdjson starts from.
 *
 * Place in the flow: compare_simdjson runs them all, then changes them at random. */
#ifndef FB_FUZZ_DOCUMENTS_HPP
#define FB_FUZZ_DOCUMENTS_HPP

#include <string>
#include <vector>

std::vector<std::string> tricky_documents();

#endif
