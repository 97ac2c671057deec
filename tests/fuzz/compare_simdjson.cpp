/* Compares the JSON scanner with simdjson: which documents they accept, and what they read there.
 * The tricky documents come first, then 100,000 random changes of them (or as many as the argument
 * says), always the same ones. */
#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "documents.hpp"

extern "C" {
#include "engine/codec/json.h"
}

static const struct fb_str paths_read[] = {
    {"a", 1}, {"b", 1}, {"data.temp", 9}, {"data.deep.x", 11}};
static const char *const pointers[] = {"/a", "/b", "/data/temp", "/data/deep/x"};
enum { N_PATHS = 4, MUTATIONS = 100000 };

/* The differences that are allowed, and why. Anything else fails the test. */
enum difference { SAME, DUPLICATE, DEPTH, KEYS, SIZE, SEVERAL, LARGE_NUMBER, DIFFERENCES };
static const char *const reasons[DIFFERENCES] = {
    "the same verdict",
    "we refuse a declared name that comes twice; simdjson takes the first",
    "we nest 32 deep, simdjson 1024",
    "we take 1024 names, simdjson any number",
    "we take 256 KB, simdjson up to 4 GB",
    "we take several objects, separated by white space, as records; simdjson one document",
    "a number beyond double or (whole) beyond uint64: simdjson refuses the document, we read it "
    "and "
    "say at the field that the number is not representable"};

struct scanner {
    fb_json_paths *paths;
    fb_json *json;
    simdjson::dom::parser parser;
    long counts[DIFFERENCES] = {};
    int failures = 0;
};

static void complain(scanner &s, const std::string &document, const char *what) {
    if (++s.failures > 20)
        return;
    std::printf("%s:\n  ", what);
    for (size_t i = 0; i < document.size() && i < 400; i++) {
        unsigned char c = static_cast<unsigned char>(document[i]);
        if (c >= 0x20 && c < 0x7F)
            std::putchar(c);
        else
            std::printf("<%02X>", c);
    }
    std::printf("\n");
}

/* ---- values ---- */

static bool same_number(const fb_json_value *ours, const simdjson::dom::element &theirs) {
    double x = 0, y = 0;
    int64_t i = 0;
    if (!fb_json_number(ours, &x) || theirs.get(y))
        return false;
    if (theirs.is_int64() && (!fb_json_integer(ours, &i) || i != int64_t(theirs)))
        return false;
    /* simdjson reads -0 as the integer 0; as doubles they are equal. */
    return x == y && (std::signbit(x) == std::signbit(y) || x == 0);
}

/* The bytes of an object or array, read again, are the same value. */
static bool same_extent(const fb_json_value *ours, const simdjson::dom::element &theirs) {
    static simdjson::dom::parser parser;
    simdjson::dom::element again;
    return !parser.parse(ours->text.p, ours->text.n, true).get(again) &&
           simdjson::minify(again) == simdjson::minify(theirs);
}

static bool same_value(const fb_json_value *ours,
                       simdjson::simdjson_result<simdjson::dom::element> theirs) {
    simdjson::dom::element element;
    if (theirs.get(element))
        return ours->kind == FB_JSON_ABSENT;
    switch (element.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
        return ours->kind == FB_JSON_NULL;
    case simdjson::dom::element_type::BOOL:
        return ours->kind == (bool(element) ? FB_JSON_TRUE : FB_JSON_FALSE);
    case simdjson::dom::element_type::ARRAY:
        return ours->kind == FB_JSON_ARRAY && same_extent(ours, element);
    case simdjson::dom::element_type::OBJECT:
        return ours->kind == FB_JSON_OBJECT && same_extent(ours, element);
    case simdjson::dom::element_type::STRING:
        return ours->kind == FB_JSON_TEXT &&
               std::string_view(element) == std::string_view(ours->text.p, ours->text.n);
    default:
        return ours->kind == FB_JSON_NUM && same_number(ours, element);
    }
}

/* A path leads through objects only; simdjson's pointer would lead through arrays too. */
static simdjson::simdjson_result<simdjson::dom::element> follow(simdjson::dom::element root,
                                                                const char *pointer) {
    return root.is_object()
               ? root.at_pointer(pointer)
               : simdjson::simdjson_result<simdjson::dom::element>(simdjson::INCORRECT_TYPE);
}

static bool same_values(scanner &s, simdjson::dom::element theirs) {
    for (uint32_t i = 0; i < N_PATHS; i++)
        if (!same_value(fb_json_values(s.json) + fb_json_node(s.paths, i),
                        follow(theirs, pointers[i])))
            return false;
    return true;
}

/* ---- verdicts ---- */

/* Whether a number outside of texts is one that simdjson cannot represent. */
static bool has_large_number(const std::string &document) {
    bool in_text = false;
    for (size_t i = 0; i < document.size(); i++) {
        char c = document[i];
        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        if (in_text || c < '0' || c > '9')
            continue;
        size_t start = i > 0 && document[i - 1] == '-' ? i - 1 : i, end = i;
        while (end < document.size() && std::strchr("0123456789.eE+-", document[end]) &&
               document[end])
            end++;
        std::string number = document.substr(start, end - start);
        bool whole = number.find_first_of(".eE") == std::string::npos;
        double x = std::strtod(number.c_str(), nullptr);
        if (std::isinf(x) ||
            (whole && (x >= 18446744073709551615.0 || x <= -9223372036854775808.0)))
            return true;
        i = end - 1;
    }
    return false;
}

struct verdict {
    std::vector<fb_json_object> objects;
    bool all_good = true;
};

static bool starts_with(const std::string &document, char wanted) {
    size_t first = document.find_first_not_of(" \t\r\n");
    return first != std::string::npos && document[first] == wanted;
}

static difference explain_refusal(const verdict &ours) {
    for (const auto &object : ours.objects) {
        switch (object.error) {
        case FB_JSON_DUPLICATE_KEY:
            return DUPLICATE;
        case FB_JSON_DEPTH:
            return DEPTH;
        case FB_JSON_KEYS:
            return KEYS;
        case FB_JSON_SIZE:
            return SIZE;
        default:
            break;
        }
    }
    return SAME;
}

/* An array: simdjson's elements against our objects, one by one. */
static difference compare_array(scanner &s, const std::string &document,
                                const simdjson::dom::array &array) {
    fb_json_object object;
    difference found = SAME;
    fb_json_begin(s.json, {document.data(), document.size()});
    for (auto element : array) {
        if (!fb_json_next(s.json, &object)) {
            complain(s, document, "too few elements");
            return SAME;
        }
        if (object.error == FB_JSON_DEPTH)
            return DEPTH; /* costs the rest */
        if (object.error == FB_JSON_DUPLICATE_KEY || object.error == FB_JSON_KEYS)
            found = object.error == FB_JSON_KEYS ? KEYS : DUPLICATE;
        else if ((object.error == FB_JSON_OK) != element.is_object())
            complain(s, document, "an element is judged otherwise");
        else if (object.error == FB_JSON_OK && !same_values(s, element))
            complain(s, document, "an element reads otherwise");
    }
    if (fb_json_next(s.json, &object))
        complain(s, document, "too many elements");
    return found;
}

static verdict judge(scanner &s, const std::string &document) {
    verdict v;
    fb_json_object object;
    fb_json_begin(s.json, {document.data(), document.size()});
    while (fb_json_next(s.json, &object)) {
        v.all_good = v.all_good && object.error == FB_JSON_OK;
        v.objects.push_back(object);
    }
    return v;
}

/* We accept, simdjson does not. */
static difference explain_acceptance(scanner &s, const std::string &document, const verdict &ours) {
    if (has_large_number(document))
        return LARGE_NUMBER;
    if (ours.objects.size() < 2)
        return SAME;
    for (const auto &object : ours.objects)
        if (s.parser.parse(object.raw.p, object.raw.n, true).error())
            return SAME;
    return SEVERAL;
}

static void compare(scanner &s, const std::string &document) {
    verdict ours = judge(s, document);
    simdjson::dom::element theirs;
    bool accepted = !s.parser.parse(document.data(), document.size(), true).get(theirs);
    difference found = SAME;
    if (accepted && theirs.is_array()) {
        found = compare_array(s, document, simdjson::dom::array(theirs));
    } else if (accepted && theirs.is_object() && !ours.all_good) {
        found = explain_refusal(ours);
        if (found == SAME)
            complain(s, document, "we refuse what simdjson accepts");
    } else if (accepted && theirs.is_object()) {
        fb_json_object object;
        fb_json_begin(s.json, {document.data(), document.size()});
        if (!fb_json_next(s.json, &object) || ours.objects.size() != 1 || !same_values(s, theirs))
            complain(s, document, "we read otherwise than simdjson");
    } else if (ours.all_good && (!ours.objects.empty() || starts_with(document, '['))) {
        found = accepted ? SAME : explain_acceptance(s, document, ours);
        if (found == SAME)
            complain(s, document, "we accept what simdjson refuses");
    }
    s.counts[found]++;
}

/* ---- random changes ---- */

static uint64_t random_state = 88172645463325252u;

static size_t random_below(size_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return n ? static_cast<size_t>(random_state >> 11) % n : 0;
}

static void change(std::string &document, const std::vector<std::string> &documents) {
    static const std::string tokens[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"",
                                         "\\",
                                         "\\u",
                                         "\\ud83d",
                                         "\\ude00",
                                         "0",
                                         "9",
                                         "-",
                                         ".",
                                         "e",
                                         "E+1",
                                         "null",
                                         "true",
                                         "false",
                                         "\"a\":",
                                         "\"b\":1",
                                         "\"data\":{\"temp\":",
                                         "\n",
                                         "\r\n",
                                         " ",
                                         "\t",
                                         "\0",
                                         "\x1F",
                                         "\x80",
                                         "\xC3\xA9",
                                         "\xC3",
                                         "\xED\xA0\x80",
                                         "\xF0\x9F\x98\x80",
                                         "123456789012345678",
                                         "1e308"};
    size_t at = random_below(document.size() + 1);
    switch (random_below(6)) {
    case 0:
        if (at < document.size())
            document[at] = static_cast<char>(random_below(256));
        break;
    case 1:
        document.insert(at, tokens[random_below(sizeof tokens / sizeof *tokens)]);
        break;
    case 2:
        document.erase(at, 1 + random_below(4));
        break;
    case 3:
        if (at < document.size())
            document[at] = static_cast<char>(document[at] ^ (1 << random_below(8)));
        break;
    case 4: {
        const std::string &other = documents[random_below(documents.size())];
        size_t from = random_below(other.size() + 1);
        document.insert(at, other.substr(from, random_below(30)));
        break;
    }
    default: {
        size_t from = random_below(document.size() + 1);
        document.insert(at, document.substr(from, random_below(20)));
        break;
    }
    }
}

int main(int argc, char **argv) {
    const long mutations = argc > 1 ? std::atol(argv[1]) : long{MUTATIONS};
    scanner s;
    s.paths = fb_json_paths_new(paths_read, N_PATHS);
    s.json = fb_json_new(s.paths, FB_JSON_LIMITS);
    std::vector<std::string> documents = tricky_documents();
    for (const auto &document : documents)
        compare(s, document);
    std::vector<std::string> small;
    for (const auto &document : documents)
        if (document.size() < 2000)
            small.push_back(document);
    for (long i = 0; i < mutations; i++) {
        std::string document = small[random_below(small.size())];
        for (size_t changes = 1 + random_below(3); changes > 0; changes--)
            change(document, small);
        compare(s, document);
    }
    std::printf("%zu documents and %ld changed ones, against simdjson (%s)\n", documents.size(),
                mutations, simdjson::get_active_implementation()->name().c_str());
    for (int i = 0; i < DIFFERENCES; i++)
        std::printf("%8ld  %s\n", s.counts[i], reasons[i]);
    /* A difference that never comes up would excuse nothing and hide something one day. */
    for (int i = 0; i < DIFFERENCES; i++)
        if (s.counts[i] == 0) {
            std::printf("never seen: %s\n", reasons[i]);
            s.failures++;
        }
    if (s.failures)
        std::printf("%d failures\n", s.failures);
    fb_json_free(s.json);
    fb_json_paths_free(s.paths);
    return s.failures ? 1 : 0;
}
