// How a repository is shown as a chip.
#pragma once

#include "models/types/organization.h"
#include "views/dashboard/chipstrip.h"

namespace foundry::views {

Chip repositoryChip(const Repository &repository);
Chip agentChip(const Agent &agent);

} // namespace foundry::views
