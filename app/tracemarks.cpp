#include "app/tracemarks.h"

#include <QtGlobal>

#include <cstdio>

namespace foundry::app {

TraceMarks::TraceMarks()
    : m_on(qEnvironmentVariableIntValue("FOUNDRY_TRACE") > 0)
{
}

void TraceMarks::mark(const QString &name)
{
    if (!m_on || m_said.contains(name))
        return;
    m_said.insert(name);
    std::printf("{\"mark\":\"%s\"}\n", qPrintable(name));
    std::fflush(stdout);
}

} // namespace foundry::app
