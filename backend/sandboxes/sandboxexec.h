// How a program that a provider ran ended, as the answer or the error of SandboxProvider::exec().
#pragma once

#include "backend/git/childprocess.h"
#include "backend/sandboxes/sandboxprovider.h"

namespace foundry::backend {

Result<SandboxExecResult> sandboxExecResult(const QString &program, const ChildOutcome &outcome);

} // namespace foundry::backend
