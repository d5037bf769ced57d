#include "realtime/connection/backoff.h"

#include <QRandomGenerator>
#include <algorithm>

namespace foundry::realtime {

Backoff::Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last, Random random)
    : m_first(first)
    , m_last(last)
    , m_random(std::move(random))
{
    if (!m_random)
        m_random = [] { return QRandomGenerator::global()->generateDouble(); };
}

std::chrono::milliseconds Backoff::next()
{
    // 2^20 steps of 250 ms are beyond any limit; more would overflow.
    const auto step = std::min<std::chrono::milliseconds>(m_last, m_first * (qint64(1) << std::min(m_failures, 20)));
    ++m_failures;
    const double share = 0.5 + 0.5 * m_random();
    return std::chrono::milliseconds(qint64(double(step.count()) * share));
}

} // namespace foundry::realtime
