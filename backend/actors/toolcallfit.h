// A tool call as a row of the transcript: long texts become blobs, so that the row fits into a message however much the
// agent shows. The thread of the actor.
#pragma once

#include "backend/store/blobstore.h"
#include "models/types/transcript.h"

namespace foundry::backend {

// Texts above 16 KiB become blobs; when there are so many below that the row would not fit, those as well. Only pieces
// beyond many hundreds are left out, and the last one says how many.
void fitToolCall(ToolCall &call, const BlobStore &blobs);

} // namespace foundry::backend
