// What the window remembers of itself between starts: sizes, what was open, last choices. Small values by name, in one
// file that the composition root names; nothing about the domain. GUI thread; written when the event loop is free.
#pragma once

#include <QObject>
#include <QVariant>

#include <memory>

class QSettings;

namespace foundry::views {

class UiState : public QObject {
    Q_OBJECT
public:
    // An empty path keeps everything in memory only.
    explicit UiState(const QString &path, QObject *parent = nullptr);
    ~UiState() override;

    QVariant value(const QString &name, const QVariant &fallback = {}) const;
    void setValue(const QString &name, const QVariant &value);

private:
    std::unique_ptr<QSettings> m_settings;
    QVariantMap m_memory;
};

} // namespace foundry::views
