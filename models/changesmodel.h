// The files that a task changed, by path; one row per path and scope. Views filter by scope with a proxy.
#pragma once

#include "models/keyedlistmodel.h"
#include "models/topicsink.h"

namespace foundry {

class ChangesModel final : public KeyedListModel<FileChange, QString>, public TopicSink {
    Q_OBJECT
public:
    enum Role {
        PathRole = FirstRole, // QString
        ScopeRole,            // ChangeScope, as int
        StatusRole,           // QString: A M D R C T U
        AddedRole,            // qint64
        RemovedRole,          // qint64
        InLastTurnRole        // bool
    };

    using KeyedListModel::KeyedListModel;

    using KeyedListModel::apply;
    void apply(const TopicEvent &event) override;
    void replace(const QString &topic, const QList<Entity> &all) override;
    QHash<int, QByteArray> roleNames() const override;

    // Head, merge base, ahead and behind, whether a refresh is under way.
    const ChangesHeader &header() const { return m_header; }
    DiffStat total() const;

Q_SIGNALS:
    void headerChanged();

protected:
    QString keyOf(const FileChange &change) const override { return change.id; }
    bool before(const FileChange &a, const FileChange &b) const override;
    QVariant dataOf(const FileChange &change, int role) const override;
    QList<int> changedRoles(const FileChange &was, const FileChange &is) const override;

private:
    void setHeader(const ChangesHeader &header);

    ChangesHeader m_header;
};

} // namespace foundry
