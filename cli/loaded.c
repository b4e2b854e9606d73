#include "cli/loaded.h"

#include "analyzers/analyze.h"
#include "core/recording_file.h"
#include "sampler/places.h"

int loaded_read(struct loaded *l, const char *path, bool source_maps, struct error *err)
{
	int ret;

	*l = (struct loaded){ 0 };
	ret = recording_read(&l->rec, path, err);
	if (ret < 0) {
		l->rec = NULL;
		return ret;
	}
	/* One that was cut short was not finished by the session that wrote it. */
	places_resolve(l->rec, 0, source_maps);
	l->d = diagnose(l->rec);
	return 0;
}

void loaded_free(struct loaded *l)
{
	if (!l->rec)
		return;
	diagnosis_free(l->d);
	recording_free(l->rec);
}
