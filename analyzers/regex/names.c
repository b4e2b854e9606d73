#include "analyzers/regex/regex.h"

const char *const regex_engine_names[REGEX_ENGINES] = { "v8", "pcre2", "python" };

const char *const regex_class_names[REGEX_CLASSES] = {
	"safe", "polynomial", "exponential", "bounded", "suspect", "unknown",
};

const char *const regex_kind_names[REGEX_KINDS] = { NULL, "search_loop", "inner" };
