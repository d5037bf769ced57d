#include "models/listmodelbase.h"

namespace foundry {

void ListModelBase::setReady(bool ready)
{
    if (m_ready == ready)
        return;
    m_ready = ready;
    Q_EMIT readyChanged(ready);
}

void ListModelBase::setAsOf(Millis at)
{
    if (m_asOf == at)
        return;
    m_asOf = at;
    Q_EMIT asOfChanged(at);
}

void ListModelBase::setLive(bool live)
{
    if (m_live == live)
        return;
    m_live = live;
    Q_EMIT liveChanged(live);
}

} // namespace foundry
