#include "sampler/places.h"

#include "core/recording.h"
#include "sampler/source_map.h"
#include "sampler/symbols.h"

void places_resolve(struct recording *rec, pid_t pid, bool source_maps)
{
	if (rec->session.resolved)
		return;
	source_maps_apply(rec, pid, source_maps);
	symbols_resolve(rec, pid);
}
