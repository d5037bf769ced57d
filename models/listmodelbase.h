// What every list model of the workbench has beside its rows: whether it has been loaded yet (not ready is never shown
// as empty) and the time its content is from.
#pragma once

#include "models/types/entity.h"

#include <QAbstractListModel>

namespace foundry {

class ListModelBase : public QAbstractListModel {
    Q_OBJECT
public:
    enum BaseRole {
        ValueRole = Qt::UserRole, // the whole row as its value type
        FirstRole = Qt::UserRole + 1
    };

    using QAbstractListModel::QAbstractListModel;

    bool isReady() const { return m_ready; }
    void setReady(bool ready);
    // When the shown content was last known to be current; 0 when unknown.
    Millis asOf() const { return m_asOf; }
    void setAsOf(Millis at);
    // Its rows follow the host. Not live and ready: they are shown as of asOf().
    bool isLive() const { return m_live; }
    void setLive(bool live);

Q_SIGNALS:
    void readyChanged(bool ready);
    void asOfChanged(foundry::Millis at);
    void liveChanged(bool live);

private:
    bool m_ready = false;
    bool m_live = false;
    Millis m_asOf = 0;
};

} // namespace foundry
