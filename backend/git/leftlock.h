// A lock file that a git of an earlier life of the host left behind. The host's gits end with it, and git takes its locks
// back when it is ended; but it may still be at that when the next host asks for the same lock, or have been killed
// outright. The next git then fails with "Unable to create '….lock': File exists", and nobody would ever clear it away.
//
// Only what lies where this program alone works, or where nothing but an ending git leaves a file, is removed: the folder
// of a work tree (worktrees/NAME/) and single refs (refs/…). Other locks (the user's own index, packed-refs, config) are
// never touched. Reads /proc, a few milliseconds; any thread.
#pragma once

#include "models/types/entity.h"

#include <QByteArray>

namespace foundry::backend {

enum class LeftLock {
    NotOurs, // no lock in the way, one of this life, or one that is not ours to remove: the error stands
    Held,    // a program from before is still at work in that repository: look again in a moment
    Cleared, // there is none any more: run git again
};

// errorText: git's stderr. before: when this life began; a lock or a program that is younger belongs to it.
LeftLock clearLeftLock(const QByteArray &errorText, Millis before);

} // namespace foundry::backend
