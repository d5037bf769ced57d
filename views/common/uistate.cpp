#include "views/common/uistate.h"

#include <QSettings>

namespace foundry::views {

UiState::UiState(const QString &path, QObject *parent)
    : QObject(parent)
    , m_settings(path.isEmpty() ? nullptr : std::make_unique<QSettings>(path, QSettings::IniFormat))
{
}

UiState::~UiState() = default;

QVariant UiState::value(const QString &name, const QVariant &fallback) const
{
    return m_settings ? m_settings->value(name, fallback) : m_memory.value(name, fallback);
}

void UiState::setValue(const QString &name, const QVariant &value)
{
    if (!m_settings)
        m_memory.insert(name, value);
    else if (m_settings->value(name) != value)
        m_settings->setValue(name, value);
}

} // namespace foundry::views
