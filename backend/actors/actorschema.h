// The runtime's own tables in every actor's database. Never edit a step that has shipped.
#pragma once

#include <QStringList>

namespace foundry::backend {

QStringList actorRuntimeSchema();

} // namespace foundry::backend
