// Starts a program in a session of its own, on a terminal or on a pipe, in two halves: the child exists and can be put
// on record (spawnHeld), and only then becomes the program (letGo). If the host dies in between, the child ends without
// having run anything. Never blocks; any thread. The child inherits standard input, output and error and nothing else.
#pragma once

#include "backend/processes/uniquefd.h"
#include "models/types/result.h"

#include <QByteArray>
#include <QList>

namespace foundry::backend {

struct SpawnSpec {
    QByteArray program;            // its path; never looked for
    QList<QByteArray> arguments;   // with the name it sees as its own first
    QList<QByteArray> environment; // "NAME=value"
    int directory = -1;            // an open folder, where it starts
    bool tty = false;              // else one pipe for output and errors, and no input
    int columns = 80;
    int rows = 24;
};

struct SpawnedChild {
    qint64 pid = 0;  // leads its session and process group
    UniqueFd pidFd;  // readable when it has ended; not open where the kernel has no pidfd
    UniqueFd output; // the terminal's other side, or the pipe's reading end; does not block
    UniqueFd go;     // see letGo(); closing it instead ends the child
    UniqueFd status; // reads a SpawnFailure, or the end of file when the program runs; does not block
};

// What the child could not do, with its errno.
struct SpawnFailure {
    enum Step : int { None, Terminal, Directory, Program };
    int step = None;
    int error = 0;
};

// The error is sandbox.start_failed: no process, no terminal or no descriptor to be had.
Result<SpawnedChild> spawnHeld(const SpawnSpec &spec);
void letGo(SpawnedChild &child);
// Nothing when the program runs or it is not decided yet.
SpawnFailure spawnFailure(const SpawnedChild &child);

} // namespace foundry::backend
