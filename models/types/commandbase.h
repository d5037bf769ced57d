// What every command carries: the same request id twice is the same answer and one effect.
#pragma once

#include "models/types/ids.h"

namespace foundry {

struct CommandBase {
    RequestId requestId;
    friend bool operator==(const CommandBase &, const CommandBase &) = default;
};

} // namespace foundry
